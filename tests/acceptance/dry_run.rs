//! A dry run changes nothing, whatever the plugin does: seen by a service that records what it is
//! asked, and by a comparison of every file.

use crate::fences::repository;
use crate::place::{Clinic, Place};
use crate::recorder::Recorder;
use serde_json::Value;
use sopwith_core::digest::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
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

#[test]
fn a_plugin_that_ignores_that_a_run_is_dry_changes_nothing_and_is_answered_as_the_contract_says() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    let recorder = Recorder::in_front_of(&clinic.url());
    fs::create_dir(place.path("files")).expect("a folder");
    fs::write(place.path("files/there"), "stays").expect("a file");
    let database = rusqlite::Connection::open(place.path("app/own.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE notes (x); INSERT INTO notes VALUES (1)")
        .expect("a table");
    drop(database);
    place.drop_in("changer", "changer");
    place.add_to_host(&format!(
        "[databases.own]\nurl = \"sqlite:../app/own.db\"\n[directories.files]\npath = \"../files\"\n[network.site]\nallow = [\"{}\"]\nmethods = [\"GET\", \"POST\", \"DELETE\"]\n",
        recorder.url()
    ));
    place.write(
        "config/procedures/change.toml",
        format!(
            "plugin = \"changer\"\n[grants]\ndatabases = {{ own = {{ access = \"write\", write_tables = [\"notes\"] }} }}\ndirectories = {{ files = \"write\" }}\nnetwork = [\"site\"]\n[actions.change.grants]\ndatabases = {{ own = \"replace\" }}\n[settings]\ndatabase = \"own\"\ndirectory = \"files\"\nurl = \"{}/health\"\n",
            recorder.url()
        ),
    );
    let watched = [place.path("app"), place.path("files")];
    let see = || watched.each_ref().map(|folder| everything(folder));
    let before = see();

    let run = place.json(&["run", "change", "--dry-run"]);
    assert_eq!(before, see());
    let asked = recorder.methods();
    assert!(
        !asked.is_empty() && asked.iter().all(|method| method == "GET"),
        "{asked:?}"
    );

    let answers = answers(&run);
    let planned_or_ok = [
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
    ];
    let expected: Vec<_> = planned_or_ok.map(|(call, kind)| format!("{call}: {kind}")).into();
    assert_eq!(answers, expected);
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
