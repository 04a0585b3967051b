//! Backups to test with, and the manifest of the plugin itself.

use crate::manifest::{Compression, Content, FORMAT, Kind, Manifest, PLUGIN_VERSION, Verification};
use crate::shelf::Backup;
use jiff::Timestamp;
use sopwith::Plugin;
use sopwith::serde_json::{Value, json, to_value};
use sopwith::sql::Depth;

pub(crate) const PROCEDURE: &str = "clinic-backup";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The manifest of a verified backup.
pub(crate) fn manifest_at(started_at: &str) -> Manifest {
    let at = time(started_at);
    let content = Content {
        bytes: 4_096,
        digest: "sha256:0".to_owned(),
    };
    Manifest {
        format: FORMAT,
        kind: Kind::Backup,
        database: "app".to_owned(),
        engine: "sqlite".to_owned(),
        engine_version: "3.50.4".to_owned(),
        procedure: PROCEDURE.to_owned(),
        run: "run-1".to_owned(),
        plugin_version: PLUGIN_VERSION.to_owned(),
        started_at: at,
        ended_at: at,
        source: content.clone(),
        file: content,
        compression: Compression::None,
        schema_digest: "sha256:1".to_owned(),
        rows: [("patients".to_owned(), 3)].into(),
        surprises: Vec::new(),
        verification: Some(Verification {
            at,
            run: "run-1".to_owned(),
            depth: Depth::Full,
            problems: Vec::new(),
        }),
        removed_by: None,
    }
}

/// A verified backup.
pub(crate) fn backup(name: &str, started_at: &str) -> Backup {
    Backup {
        name: name.to_owned(),
        manifest: manifest_at(started_at),
        intact: true,
    }
}

/// A backup that was not verified.
pub(crate) fn unverified(name: &str, started_at: &str) -> Backup {
    let mut backup = backup(name, started_at);
    backup.manifest.verification = None;
    backup
}

fn described() -> Value {
    to_value(crate::Component::manifest()).expect("a manifest is JSON")
}

#[test]
fn backup_is_the_default_action_and_changes() {
    let manifest = described();
    let actions = manifest["actions"].as_array().expect("actions");
    let actions: Vec<_> = actions
        .iter()
        .map(|action| (action["name"].clone(), action["changes"].clone()))
        .collect();
    let expected = [
        ("backup", true),
        ("verify", true),
        ("restore", true),
        ("prune", true),
        ("list", false),
    ];
    assert_eq!(
        actions,
        expected.map(|(name, changes)| (json!(name), json!(changes)))
    );
}

fn check_settings(settings: Value, expected: Result<(), &str>) {
    let read = sopwith::serde_json::from_value::<crate::Settings>(settings);
    match (read, expected) {
        (Ok(_), Ok(())) => {}
        (Err(error), Err(message)) => assert!(error.to_string().contains(message), "{error}"),
        (read, expected) => panic!("{expected:?} was expected, not {:?}", read.err()),
    }
}

#[test]
fn settings_are_read_as_operators_write_them() {
    check_settings(json!({ "database": "app", "to": "backups" }), Ok(()));
    let whole = json!({
        "database": "app",
        "to": "backups",
        "name": "app-{YYYYMMDD}.db",
        "time_zone": "Europe/Berlin",
        "compress": "zstd",
        "check": "quick",
        "keep": { "daily": 14, "yearly": -1, "within": "1y 6mo" },
        "expect": { "rows_min": { "patients": 1 } },
        "restore": { "directory": "rehearsal" },
    });
    check_settings(whole, Ok(()));
    let with = |name: &str, value: Value| {
        let mut settings = json!({ "database": "app", "to": "backups" });
        settings[name] = value;
        settings
    };
    let zone = "there is no time zone `Europe/Berlim`";
    check_settings(with("time_zone", json!("Europe/Berlim")), Err(zone));
    check_settings(
        with("name", json!("{day}")),
        Err("unknown placeholder `{day}`; known are"),
    );
    let span = "`a month` is not a span of time such as `30d` or `1y 6mo`; known are";
    check_settings(with("keep", json!({ "within": "a month" })), Err(span));
    check_settings(with("keep", json!({ "dayly": 14 })), Err("unknown field `dayly`"));
}

#[test]
fn defaults_in_the_schema_are_those_of_the_code() {
    let properties = &described()["settings"]["properties"];
    let default = |name: &str| properties[name]["default"].clone();
    assert_eq!(default("name"), "{database}-{YYYYMMDD}.db");
    assert_eq!(default("time_zone"), "UTC");
    assert_eq!(default("compress"), "none");
    assert_eq!(default("check"), "full");
    assert_eq!(default("verify"), true);
    assert_eq!(default("keep")["daily"], 0);
    assert_eq!(default("expect")["shrink_max"], 0.5);
    let whole = properties.to_string();
    assert!(
        !whole.contains("\"pattern\""),
        "its messages are no help: {whole}"
    );
}
