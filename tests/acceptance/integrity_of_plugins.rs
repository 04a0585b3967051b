//! Plugins are the bytes that the operator meant, from the file to the compiled code.

use crate::golden::assert_golden;
use crate::guest::{manifest, plugin};
use crate::place::{Place, until};
use minisign::KeyPair;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const FILE: &str = "config/plugins/written.wasm";
const PROCEDURE: &str = "config/procedures/signed.toml";
const COMMENT: &str = "written 1.0.0\tby anna \u{1b}[31m";

fn version(version: &str) -> Vec<u8> {
    plugin(&manifest(version, &json!([])))
}

/// A place that trusts one key alone, with a procedure and its plugin, which that key has signed.
struct Signed {
    place: Place,
    keys: KeyPair,
}

impl Signed {
    fn new() -> Self {
        let place = Place::new();
        fs::write(place.path("app/app.db"), "").expect("an empty database");
        let keys = KeyPair::generate_unencrypted_keypair().expect("a key");
        let key = keys.pk.to_base64();
        place.add_to_host(&format!(
            "[plugins]\nrequire_signatures = true\nkeys = [\"{key}\"]\n"
        ));
        place.write(PROCEDURE, "summary = \"A procedure\"\nplugin = \"written\"\n");
        let signed = Self { place, keys };
        signed.sign(&version("1.0.0"));
        signed.place.write(FILE, version("1.0.0"));
        signed
    }

    fn sign(&self, bytes: &[u8]) {
        let signature = minisign::sign(None, &self.keys.sk, Cursor::new(bytes), Some(COMMENT), None);
        let text = signature.expect("a signature").into_string();
        self.place.write(&format!("{FILE}.minisig"), text);
    }
}

fn procedure(place: &Place) -> Value {
    place.json(&["status"])["procedures"][0].clone()
}

/// The payloads of the entries of the audit log with this action, oldest first.
fn payloads(place: &Place, action: &str) -> Vec<Value> {
    let record = Connection::open(place.path("state/history.db")).expect("the record");
    let mut select = record
        .prepare("SELECT body FROM audit JOIN audit_payload USING (seq) WHERE action LIKE ?1 ORDER BY seq")
        .expect("a query");
    let bodies = select
        .query_map([action], |row| row.get::<_, String>(0))
        .expect("rows");
    bodies
        .map(|body| serde_json::from_str(&body.expect("a row")).expect("JSON"))
        .collect()
}

#[test]
fn a_plugin_that_is_swapped_for_an_unsigned_one_is_refused_and_the_signed_one_goes_on() {
    let signed = Signed::new();
    let place = &signed.place;
    let mut service = place.serve();
    let before = procedure(place)["plugin_digest"].clone();
    let shown = place.good(&["plugins", "show", "written"]);
    let key_id = place.json(&["plugins", "show", "written"])["signature"]["key_id"].clone();
    let line = format!(
        "signed by {}: written 1.0.0  by anna \\u{{1b}}[31m",
        key_id.as_str().expect("a text")
    );
    assert!(shown.contains(&line), "{shown}");

    place.write(FILE, version("6.6.6"));
    let told = service.wait_for("is refused");
    assert!(
        told.contains("the plugin `written` of the procedure `signed`"),
        "{told}"
    );
    let told = until("the refusal", || {
        let told = place.good(&["status"]);
        told.contains("is not of these bytes").then_some(told)
    });
    assert!(told.contains("minisign -Sm "), "{told}");
    place.good(&["run", "signed"]);
    assert_eq!(procedure(place)["plugin_digest"], before);

    signed.sign(&version("6.6.6"));
    service.wait_for("is in force");
    assert_ne!(procedure(place)["plugin_digest"], before);
    fs::remove_file(place.path(&format!("{FILE}.minisig"))).expect("the signature");
    service.wait_for("is not signed");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_host_that_starts_beside_an_unsigned_plugin_runs_what_was_signed() {
    let signed = Signed::new();
    let place = &signed.place;
    place.serve().stop();
    let before = procedure(place)["plugin_digest"].clone();
    place.write(FILE, version("6.6.6"));
    let refused = place.sopwith(&["run", "signed"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let service = place.serve();
    assert!(place.good(&["status"]).contains("last good"));
    assert_eq!(procedure(place)["plugin_digest"], before);
    place.good(&["run", "signed"]);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn without_a_signature_check_says_which_command_makes_one() {
    let signed = Signed::new();
    let file = signed.place.path(&format!("{FILE}.minisig"));
    fs::remove_file(file).expect("the signature");
    let ended = signed.place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_golden(&signed.place, "unsigned-plugin", &ended.stderr);
}

#[test]
fn a_pin_that_does_not_match_is_told_and_the_pinned_version_goes_on() {
    let place = Place::new();
    place.write(FILE, version("1.0.0"));
    place.write(PROCEDURE, "plugin = \"written\"\n");
    let mut service = place.serve();
    let digest = procedure(&place)["plugin_digest"].clone();
    let digits = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:"));
    let digits = digits.expect("a digest").to_owned();
    place.write(
        PROCEDURE,
        format!("plugin = \"written\"\nplugin_sha256 = \"{digits}\"\n"),
    );
    service.wait_for("is in force");

    place.write(FILE, version("6.6.6"));
    service.wait_for("and the one that is pinned is");
    let ended = place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    for part in [
        "the plugin `written` of the procedure `signed` has the digest",
        &format!("is pinned is {}…", &digits[..12]),
        "config/procedures/signed.toml:2:17",
        &digits,
        "where these bytes are meant:  plugin_sha256 = \"",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(procedure(&place)["plugin_digest"], digest);
    place.good(&["run", "signed"]);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn the_audit_log_says_which_bytes_came_into_force_and_which_acted() {
    let signed = Signed::new();
    let place = &signed.place;
    let service = place.serve();
    place.good(&["run", "signed"]);
    let status = procedure(place);
    let key_id = place.json(&["plugins", "show", "written"])["signature"]["key_id"].clone();
    assert_eq!(service.stop(), Some(0));
    let accepted = payloads(place, "configuration.accepted");
    let carried_out = &accepted[0]["procedures"]["signed"];
    assert_eq!(carried_out["plugin"], "written");
    assert_eq!(carried_out["plugin_digest"], status["plugin_digest"]);
    assert_eq!(carried_out["signed_by"], key_id);
    let run = payloads(place, "run.%");
    assert_eq!(run.len(), 3, "queued, started, succeeded: {run:?}");
    for entry in run {
        assert_eq!(entry["plugin_digest"], status["plugin_digest"], "{entry}");
    }
}

/// The files of compiled plugins.
fn compiled(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                compiled(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_none())
        .collect()
}

#[test]
fn compiled_code_that_somebody_changed_is_thrown_away_and_said_so() {
    let signed = Signed::new();
    let place = &signed.place;
    place.good(&["run", "signed"]);
    for file in compiled(&place.path("state/cache")) {
        let mut code = fs::read(&file).expect("the code");
        // The standard plugins are larger, and compiling them anew takes long.
        if code.len() < 100_000 {
            let middle = code.len() / 2;
            code[middle] ^= 1;
            fs::write(&file, code).expect("a change");
        }
    }
    let ended = place.sopwith(&["run", "signed"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("it is not what this host put there"),
        "{ended:?}"
    );
    let again = place.sopwith(&["run", "signed"]);
    assert!(!again.stderr.contains("compile cache"), "{again:?}");
}

#[test]
fn a_compile_cache_that_others_can_reach_is_made_anew_by_the_host_and_left_alone_by_who_looks() {
    let signed = Signed::new();
    let place = &signed.place;
    place.good(&["run", "signed"]);
    let cache = place.path("state/cache");
    let mode = || fs::metadata(&cache).expect("the cache").permissions().mode() & 0o777;
    fs::set_permissions(&cache, Permissions::from_mode(0o777)).expect("a mode");
    fs::write(cache.join("planted"), "code of somebody else").expect("a file");
    place.good(&["check"]);
    assert_eq!(mode(), 0o777);
    assert!(cache.join("planted").exists());

    let ended = place.sopwith(&["run", "signed"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("is made anew: its mode is `0777`"),
        "{ended:?}"
    );
    assert_eq!(mode(), 0o700);
    assert!(!cache.join("planted").exists());
}
