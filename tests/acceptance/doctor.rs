//! `sopwith doctor`: each thing that is bad is told on a line of its own, and is its exit code.

use crate::place::Place;
use crate::procedures::{backup, exerciser};
use rusqlite::Connection;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// A place with a backup, in which nothing is bad.
fn sound() -> Place {
    let place = Place::new();
    Connection::open(place.path("app/app.db"))
        .and_then(|connection| connection.execute_batch("CREATE TABLE t (x)"))
        .expect("a database");
    backup(&place, "");
    place.good(&["secrets", "init-key"]);
    place.good(&["run", "clinic-backup"]);
    let found = place.good(&["doctor"]);
    assert!(!found.contains('✗'), "{found}");
    place
}

/// The one thing that doctor finds bad once this was done says that.
fn check(spoil: impl FnOnce(&Place), subject: &str, detail: &str) {
    let place = sound();
    spoil(&place);
    let ended = place.sopwith(&["doctor"]);
    assert_eq!(ended.code, Some(1), "{subject}: {ended:?}");
    let bad: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with('✗'))
        .collect();
    let [line] = bad.as_slice() else {
        panic!("{subject}: {ended:?}");
    };
    assert!(line.starts_with(&format!("✗ {subject}")), "{line}");
    assert!(line.contains(detail), "{line}");

    let machine = place.sopwith(&["doctor", "--json"]);
    assert_eq!(machine.code, Some(1), "{subject}: {machine:?}");
    let found: serde_json::Value = serde_json::from_str(&machine.stdout).expect("JSON");
    let is_bad = |one: &serde_json::Value| {
        one["health"] == "bad" && line.contains(one["detail"].as_str().expect("a text"))
    };
    assert!(found.as_array().expect("a list").iter().any(is_bad), "{found:#}");
}

#[test]
fn a_data_directory_that_a_group_may_enter_is_in_order_and_one_for_all_is_not() {
    let place = sound();
    for (mode, expected) in [
        (0o2750, "✓ data directory "),
        (0o2710, "✓ data directory "),
        (0o2770, "! data directory "),
        (0o755, "! data directory "),
    ] {
        fs::set_permissions(place.path("state"), Permissions::from_mode(mode)).expect("a mode");
        let found = place.good(&["doctor"]);
        let line = found.lines().find(|line| line.contains("data directory"));
        assert!(
            line.is_some_and(|line| line.starts_with(expected)),
            "{mode:o}: {found}"
        );
    }
}

#[test]
fn a_configuration_that_is_invalid() {
    let spoil = |place: &Place| place.write("config/procedures/clinic-backup.toml", "plugin = 7\n");
    check(spoil, "configuration: ", "invalid; `sopwith check` says why");
}

#[test]
fn a_record_that_somebody_edited() {
    let spoil = |place: &Place| {
        let record = Connection::open(place.path("state/history.db")).expect("the record");
        let edit = "UPDATE audit SET object = 'run:another' WHERE seq = 1";
        assert_eq!(record.execute(edit, []).expect("a change"), 1);
    };
    check(spoil, "record: ", "entry 1 is broken");
}

#[test]
fn a_database_that_is_not_there() {
    let spoil = |place: &Place| fs::remove_file(place.path("app/app.db")).expect("the database");
    check(spoil, "database app: ", "app/app.db: No such file or directory");
}

#[test]
fn a_directory_that_cannot_be_written_to() {
    let spoil = |place: &Place| {
        let folder = place.path("backups");
        fs::remove_dir_all(&folder).expect("the folder");
        // Nobody can write to a link to itself, not even root.
        symlink(&folder, &folder).expect("a link");
    };
    check(spoil, "directory backups: ", "Too many levels of symbolic links");
}

#[test]
fn a_secret_without_a_value() {
    let spoil = |place: &Place| {
        place.add_to_host("[secrets.API_TOKEN]\nstore = \"file\"\npath = \"token\"\n");
        exerciser(
            place,
            "fixture",
            "action = \"state\"\n\n[grants]\nsecrets = [\"API_TOKEN\"]\n",
        );
    };
    check(spoil, "secret API_TOKEN: ", "token");
}

#[test]
fn a_key_that_is_needed_and_not_there() {
    let place = sound();
    place.add_to_host("[secrets.API_TOKEN]\nstore = \"sealed\"\n");
    fs::remove_file(place.path("config/key")).expect("the key");
    let ended = place.sopwith(&["doctor"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let key = place.path("config/key").display().to_string();
    let line = format!("✗ key {key}: there is none; `sopwith secrets init-key` makes one\n");
    assert!(ended.stdout.contains(&line), "{ended:?}");
}
