//! A dry run changes nothing, whatever the plugin does: seen by a service that records what it is
//! asked, and by a comparison of every file.

use crate::fences::repository;
use crate::place::{Clinic, Place};
use crate::recorder::Recorder;
use serde_json::Value;
use sopwith_core::digest::Digest;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Everything beneath a folder: modes and digests by path.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Option<Digest>)> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("something");
            // Memory that the processes share that have a database open; readers leave marks in it.
            if path.to_string_lossy().ends_with("-shm") {
                continue;
            }
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            let digest = metadata
                .is_file()
                .then(|| Digest::of(fs::read(&path).expect("a file")));
            seen.insert(path, (metadata.mode(), digest));
        }
    }
    seen
}

/// What a dry run of these says that it would have done, in order.
fn planned(place: &Place, procedure: &str) -> Vec<String> {
    let shown = place.json(&["show", procedure]);
    let journal = shown["journal"].as_array().expect("a record");
    let notes = journal
        .iter()
        .map(|line| line.as_array().map_or(line, |pair| &pair[1]));
    notes
        .filter(|note| note["note"] == "planned")
        .map(|note| {
            let text = |name: &str| note[name].as_str().expect("a text").to_owned();
            format!("{} {}", text("call"), text("object"))
        })
        .collect()
}

/// The actions of the plugin that carries out a procedure.
fn actions(place: &Place, procedure: &str) -> Vec<String> {
    let told = place.json(&["check"]);
    let procedures = told["wanted"].as_array().expect("a list");
    let of = procedures
        .iter()
        .find(|one| one["procedure"] == procedure)
        .expect("the procedure");
    let plugin = of["plugin"].as_str().expect("a name");
    let shown = place.json(&["plugins", "show", plugin]);
    let actions = shown["manifest"]["actions"].as_array().expect("a list");
    let names = actions
        .iter()
        .map(|action| action["name"].as_str().expect("a name").to_owned());
    names.collect()
}

#[test]
fn a_dry_run_of_every_action_of_every_procedure_in_config_changes_nothing() {
    let place = Place::bare();
    fs::create_dir_all(place.path("config/clinic/backups")).expect("a folder");
    fs::create_dir_all(place.path("config/procedures")).expect("a folder");
    fs::create_dir_all(place.path("app")).expect("a folder");
    let clinic = Clinic::start(&place, 0, vec![]);
    let recorder = Recorder::in_front_of(&clinic.url());
    let own = repository("config");
    for file in [
        "sopwith.toml",
        "procedures/clinic-backup.toml",
        "procedures/clinic-integrity.toml",
        "procedures/clinic-smoke.toml",
    ] {
        let text = fs::read_to_string(own.join(file)).expect("a file of the repository");
        let text = text
            .replace("http://127.0.0.1:18080", &recorder.url())
            .replace("sqlite:clinic/app.db", "sqlite:../app/app.db");
        place.write(&format!("config/{file}"), text);
    }
    place.compiled("config/state");
    // One backup is there, so that there is something to verify, to prune and to restore.
    place.good(&["run", "clinic-backup"]);

    let watched = [place.path("app"), place.path("config/clinic")];
    let see = || watched.each_ref().map(|folder| everything(folder));
    let before = see();
    for procedure in ["clinic-backup", "clinic-integrity", "clinic-smoke"] {
        for action in actions(&place, procedure) {
            let inputs: &[&str] = if action == "restore" {
                &["--set", "to=\"over\""]
            } else {
                &[]
            };
            let ended = place.sopwith(&[&["run", procedure, &action, "--dry-run"], inputs].concat());
            assert_ne!(ended.code, Some(3), "{procedure} {action}: {ended:?}");
            assert_eq!(before, see(), "{procedure} {action}");
        }
    }
    let asked = recorder.methods();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|method| method == "GET"), "{asked:?}");
}

/// A place where the fixture `changer` may do all that it tries, with a service that is recorded.
fn place_of_changer(recorder: &Recorder) -> Place {
    let (place, url) = (Place::new(), recorder.url());
    fs::create_dir(place.path("files")).expect("a folder");
    fs::write(place.path("files/there"), "stays").expect("a file");
    fs::write(place.path("token"), "of the operator").expect("a file");
    fs::set_permissions(place.path("token"), Permissions::from_mode(0o600)).expect("a mode");
    let database = rusqlite::Connection::open(place.path("app/own.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE notes (x); INSERT INTO notes VALUES (1)")
        .expect("a table");
    place.good(&["secrets", "init-key"]);
    place.drop_in("changer", "changer");
    place.add_to_host(&format!(
        r#"[databases.own]
url = "sqlite:../app/own.db"

[directories.files]
path = "../files"

[network.site]
allow = ["{url}"]
methods = ["GET", "POST", "DELETE"]

[commands.changing]
program = "/usr/bin/tee"
arguments = ["{made}"]

[commands.looking]
program = "/bin/cat"
effects = "none"

[secrets.token]
store = "file"
path = "../token"
"#,
        made = place.path("files/by-a-command").display()
    ));
    place.write(
        "config/procedures/change.toml",
        format!(
            r#"plugin = "changer"

[grants]
databases = {{ own = {{ access = "write", write_tables = ["notes"] }} }}
directories = {{ files = "write" }}
network = ["site"]
commands = ["changing", "looking"]
secrets = ["token"]
secret_reveal = ["token"]

[actions.change.grants]
databases = {{ own = "replace" }}

[settings]
database = "own"
directory = "files"
url = "{url}/health"
changing = "changing"
looking = "looking"
secret = "token"
"#
        ),
    );
    place
}

/// What the calls of `changer` are answered in a dry run, in order, as the contract says.
const ANSWERS: [(&str, &str); 35] = [
    ("files.make-directory", "ok"),
    ("files.replace", "ok"),
    ("files.read", "planned"),
    ("files.set-mode", "ok"),
    ("files.truncate", "ok"),
    ("files.rename", "ok"),
    ("files.remove", "ok"),
    ("state.set", "ok"),
    ("state.get", "ok"),
    ("state.delete", "ok"),
    ("flow.to-file", "ok"),
    ("flow.from-file", "planned"),
    ("flow.to-database", "ok"),
    ("sql.scratch", "ok"),
    ("sql.execute in scratch", "ok"),
    ("sql.open", "ok"),
    ("sql.execute", "planned"),
    ("sql.commit", "ok"),
    ("probe.http GET", "ok"),
    ("wasi:http GET", "ok"),
    ("probe.http POST", "planned"),
    ("wasi:http POST", "failed"),
    ("probe.http DELETE", "planned"),
    ("wasi:http DELETE", "failed"),
    ("commands.run changing", "planned"),
    ("commands.start changing", "planned"),
    ("flow.from-command changing", "planned"),
    ("flow.to-command changing", "planned"),
    ("commands.run looking", "ok"),
    ("commands.start looking", "ok"),
    ("flow.from-command looking", "ok"),
    ("flow.to-command looking", "ok"),
    ("secret-reveal.put", "ok"),
    ("secret-reveal.reveal", "planned"),
    ("secrets.versions", "ok"),
];

#[test]
fn a_plugin_that_ignores_that_a_run_is_dry_changes_nothing_and_is_answered_as_the_contract_says() {
    let of_clinic = Place::new();
    let clinic = Clinic::start(&of_clinic, 0, vec![]);
    let recorder = Recorder::in_front_of(&clinic.url());
    let place = place_of_changer(&recorder);
    let watched = [place.path("app"), place.path("files")];
    let see = || {
        let secrets = place.json(&["secrets", "list"]);
        (watched.each_ref().map(|folder| everything(folder)), secrets)
    };
    let before = see();

    let run = place.json(&["run", "change", "--dry-run"]);
    assert_eq!(before, see());
    let asked = recorder.methods();
    assert!(
        !asked.is_empty() && asked.iter().all(|method| method == "GET"),
        "{asked:?}"
    );
    let expected = ANSWERS.map(|(call, kind)| format!("{call}: {kind}"));
    assert_eq!(answers(&run), expected);
    assert_planned(&planned(&place, "change"), &recorder.url());
}

/// The list of what would have been done, in the order of the calls.
fn assert_planned(planned: &[String], url: &str) {
    let expected = [
        "files.make-directory directories.files/made".to_owned(),
        "files.replace directories.files/new".to_owned(),
        "files.set-mode directories.files/there".to_owned(),
        "files.truncate directories.files/there".to_owned(),
        "files.rename directories.files/there to directories.files/elsewhere".to_owned(),
        "files.remove directories.files/elsewhere".to_owned(),
        "state.set state of change: `count`".to_owned(),
        "state.delete state of change: `count`".to_owned(),
        "flow.to-file directories.files/flowed".to_owned(),
        "flow.to-database databases.own".to_owned(),
        "sql.execute databases.own: DELETE FROM notes".to_owned(),
        "sql.commit databases.own".to_owned(),
        format!("probe.http POST {url}/health"),
        format!("wasi:http POST {url}/health"),
        format!("probe.http DELETE {url}/health"),
        format!("wasi:http DELETE {url}/health"),
        "commands.run commands.changing".to_owned(),
        "commands.start commands.changing".to_owned(),
        "flow.from-command commands.changing".to_owned(),
        "flow.to-command commands.changing".to_owned(),
        "secret-reveal.put secrets.token".to_owned(),
    ];
    assert_eq!(planned, expected);
}

fn answers(run: &Value) -> Vec<String> {
    let answers = run["report"]["output"]["answers"].as_array();
    let answers = answers.unwrap_or_else(|| panic!("{run:#}")).iter();
    answers
        .map(|pair| {
            format!(
                "{}: {}",
                pair[0].as_str().unwrap_or("?"),
                pair[1].as_str().unwrap_or("?")
            )
        })
        .collect()
}
