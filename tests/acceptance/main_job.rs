//! The main job: a database that is written to is backed up and audited, a service is smoke-tested.

use crate::place::{Clinic, Place};
use crate::procedures::{backup, integrity, smoke};
use clinic::Breakage;
use rusqlite::Connection;
use std::path::Path;

/// The names of the backups in a place, without their manifests.
fn backups(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("backups")).expect("the folder");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name")
    });
    let mut names: Vec<_> = names
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_none_or(|extension| extension != "json")
        })
        .collect();
    names.sort();
    names
}

/// Asserts that a database is whole and that its books balance.
pub(crate) fn assert_sound(path: &Path) {
    let connection = Connection::open(path).expect("a database");
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(integrity, "ok");
    let dangling = connection
        .prepare("PRAGMA foreign_key_check")
        .expect("a check")
        .exists([])
        .expect("a check");
    assert!(!dangling, "a foreign key points nowhere");
    let balance = clinic::balance_of(&connection).expect("a balance");
    assert_eq!(balance.debit_cents, balance.credit_cents);
    assert_eq!(balance.unbalanced_entries, 0, "{balance:?}");
}

#[test]
fn a_backup_taken_under_load_restores_to_a_sound_database() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 1_000, vec![]);
    clinic.written(200);
    backup(
        &place,
        "compress = \"zstd\"\nrestore = { directory = \"backups\" }",
    );
    place.good(&["run", "clinic-backup"]);
    clinic.written(50);
    place.good(&["run", "clinic-backup"]);
    assert_eq!(
        backups(&place).len(),
        2,
        "the second of a day does not take the place of the first"
    );
    clinic.stop();

    std::fs::remove_file(place.path("app/app.db")).expect("the database");
    Connection::open(place.path("app/app.db"))
        .expect("an empty one")
        .execute_batch("CREATE TABLE t (x)")
        .expect("a table");
    place.good(&["run", "clinic-backup", "restore", "--set", "from=latest"]);
    assert_sound(&place.path("app/app.db"));
}

#[test]
fn a_restore_over_a_database_that_is_open_is_refused_with_the_reason() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 10, vec![]);
    clinic.written(5);
    backup(&place, "");
    place.good(&["run", "clinic-backup"]);
    let before = backups(&place);
    let ended = place.sopwith(&["run", "clinic-backup", "restore", "--set", "from=latest"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("open"), "{ended:?}");
    assert_eq!(backups(&place), before, "no safety copy stays");
    clinic.written(5);
    clinic.stop();
    assert_sound(&place.path("app/app.db"));
}

#[test]
fn a_restore_to_a_file_that_cannot_be_is_refused_before_the_backup_is_verified() {
    let place = Place::new();
    Clinic::start(&place, 10, vec![]).stop();
    backup(&place, "restore = { directory = \"backups\" }");
    place.good(&["run", "clinic-backup"]);
    let taken = format!("to={}", backups(&place)[0]);
    for to in [taken.as_str(), "to=../x.db", "to=missing/x.db", "to="] {
        let ended = place.sopwith(&["run", "clinic-backup", "restore", "--set", to]);
        assert_eq!(ended.code, Some(1), "{to}: {ended:?}");
        assert!(!ended.stderr.contains("verify"), "{to}: {ended:?}");
    }
}

#[test]
fn a_backup_beside_an_older_one_that_is_spoilt_is_a_warning() {
    let place = Place::new();
    Clinic::start(&place, 10, vec![]).stop();
    backup(&place, "");
    place.good(&["run", "clinic-backup"]);
    let older = &backups(&place)[0];
    place.write(&format!("backups/{older}"), "spoilt");
    place.sopwith(&["run", "clinic-backup", "verify"]);
    let run = place.json(&["run", "clinic-backup"]);
    assert_eq!(run["report"]["verdict"], "warning", "{run}");
}

#[test]
fn the_smoke_test_says_what_is_wrong() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    smoke(&place, &clinic.url());
    place.good(&["run", "clinic-smoke"]);
    clinic.stop();
    let ended = place.sopwith(&["run", "clinic-smoke"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("refused"), "{ended:?}");
}

#[test]
fn each_breakage_of_the_service_is_seen_by_the_smoke_test() {
    for (breakage, sign) in [
        (Breakage::Health, "[STATUS] (500)"),
        (Breakage::Ready, "[STATUS] (503)"),
        (Breakage::TenantMeta, "[BODY].tenant.id"),
    ] {
        let place = Place::new();
        let clinic = Clinic::start(&place, 0, vec![breakage]);
        smoke(&place, &clinic.url());
        let ended = place.sopwith(&["run", "clinic-smoke"]);
        assert_eq!(ended.code, Some(1), "{breakage:?}: {ended:?}");
        assert!(ended.stdout.contains(sign), "{breakage:?}: {ended:?}");
    }
}

#[test]
fn each_breakage_of_the_records_is_found_by_the_audit() {
    for (breakage, check) in [
        (Breakage::Balance, "integrity/balanced-entries"),
        (Breakage::Patients, "integrity/record-numbers"),
        (Breakage::ForeignKeys, "integrity/engine"),
    ] {
        let place = Place::new();
        let clinic = Clinic::start(&place, 0, vec![breakage]);
        clinic.stop();
        integrity(&place);
        let ended = place.sopwith(&["run", "clinic-integrity"]);
        assert_eq!(ended.code, Some(1), "{breakage:?}: {ended:?}");
        let shown = place.json(&["show", "clinic-integrity"]);
        assert!(
            shown["journal"].to_string().contains(check),
            "{breakage:?}: {shown:#}"
        );
    }
}

#[test]
fn no_byte_of_a_database_is_changed_by_a_dry_run() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    clinic.stop();
    backup(&place, "");
    let ended = place.sopwith(&["run", "clinic-backup", "--dry-run"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("would change"), "{ended:?}");
    assert!(backups(&place).is_empty());
}
