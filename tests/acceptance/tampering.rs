//! Whoever changes the record behind the host's back is found out.

use crate::place::Place;
use crate::procedures::exerciser;
use rusqlite::Connection;

/// After this change of `history.db`, `audit verify` names this entry as the first bad one.
fn check(change: &str, entry: u64) {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    place.good(&["run", "fixture"]);
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    let connection = Connection::open(place.path("state/history.db")).expect("the record");
    connection
        .pragma_update(None, "foreign_keys", false)
        .expect("a setting");
    let changed = connection.execute(change, []).expect("a change");
    assert!(changed > 0, "`{change}` changes nothing");
    drop(connection);

    let ended = place.sopwith(&["audit", "verify"]);
    assert_eq!(ended.code, Some(1), "{change}: {ended:?}");
    let named = format!("entry {entry} is broken");
    assert!(ended.stdout.contains(&named), "{change}: {ended:?}");
    let verdict = place.sopwith(&["audit", "verify", "--json"]);
    assert_eq!(verdict.code, Some(1), "{change}: {verdict:?}");
    let verdict: serde_json::Value = serde_json::from_str(&verdict.stdout).expect("JSON");
    assert_eq!(verdict["entries"], entry - 1, "{change}: {verdict}");
}

#[test]
fn a_payload_that_was_edited_is_named() {
    check(
        "UPDATE audit_payload SET body = json_set(body, '$.at', '2020-01-01T00:00:00Z') WHERE seq = 2",
        2,
    );
}

#[test]
fn an_entry_that_was_edited_is_named() {
    check("UPDATE audit SET object = 'run:another' WHERE seq = 1", 1);
}

#[test]
fn an_entry_that_was_deleted_is_missed_at_its_place() {
    check("DELETE FROM audit WHERE seq = 2", 2);
}

#[test]
fn a_service_whose_data_directory_is_replaced_ends_instead_of_working_beside_another_one() {
    let place = Place::new();
    let mut service = place.serve();
    std::fs::rename(place.path("state"), place.path("elsewhere")).expect("a rename");
    std::fs::create_dir(place.path("state")).expect("a folder");
    service.wait_for("was removed or replaced");
    assert_eq!(service.end(), Some(1));
}
