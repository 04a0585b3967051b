//! The audit log as an auditor meets it: exports, a public key, anchors, redactions, retired entries.

use crate::place::{Ended, Place, until};
use crate::procedures::exerciser;
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A place with a procedure that has run.
fn place() -> Place {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    place.good(&["run", "fixture"]);
    place
}

/// Exports the log into `NAME.ndjson`; the file and the key that verifies it.
fn exported(place: &Place, name: &str, more: &[&str]) -> (String, String) {
    let file = place.path(&format!("{name}.ndjson")).display().to_string();
    let said = place.good(&[&["audit", "export", "--output", &file], more].concat());
    assert!(said.contains("can verify it"), "{said}");
    let key = place.good(&["audit", "key"]).trim().to_owned();
    (file, key)
}

/// Verifies with nothing but a file and a key: there is no configuration and no host.
fn verify(file: &str, key: &str, more: &[&str]) -> Ended {
    Place::bare().sopwith(&[&["audit", "verify", file, "--key", key], more].concat())
}

fn entry_lines(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("the export");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.get("entry").is_some()).collect()
}

#[test]
fn an_export_is_verified_with_a_public_key_and_nothing_else() {
    let place = place();
    let (file, key) = exported(&place, "log", &[]);
    let verified = verify(&file, &key, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(
        verified.stdout.starts_with("the export holds: entries 1 to "),
        "{verified:?}"
    );
    let summary = verify(&file, &key, &["--json"]);
    let summary: Value = serde_json::from_str(&summary.stdout).expect("JSON");
    assert_eq!(summary["header"]["key"], key);

    let entries = entry_lines(&file);
    let last = entries.last().expect("entries");
    assert_eq!(last["entry"]["action"], "audit.exported");
    assert_eq!(last["entry"]["actor"]["kind"], "user");
    assert_eq!(summary["entries"], entries.len());

    let keys = place.path("keys");
    fs::write(&keys, format!("# the clinic\n{key}\n")).expect("a file");
    let keys = keys.display().to_string();
    let by_file = Place::bare().sopwith(&["audit", "verify", &file, "--key-file", &keys]);
    assert_eq!(by_file.code, Some(0), "{by_file:?}");
}

#[test]
fn whatever_is_done_to_an_export_is_found_and_named() {
    let place = place();
    let (file, key) = exported(&place, "log", &[]);
    let bytes = fs::read(&file).expect("the export");
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let check = |tampered: Vec<u8>, expected: &str| {
        let path = place.path("tampered.ndjson");
        fs::write(&path, tampered).expect("a file");
        let found = verify(&path.display().to_string(), &key, &[]);
        assert_eq!(found.code, Some(1), "{expected}: {found:?}");
        assert!(found.stdout.contains(expected), "{expected}: {found:?}");
    };
    let mut start = 0;
    for (line, number) in lines.iter().zip(1..) {
        let mut flipped = bytes.clone();
        flipped[start + line.len() / 2] ^= 1;
        check(flipped, &format!("the export is broken: line {number}"));
        start += line.len();
    }
    let without = |index: usize| [&lines[..index], &lines[index + 1..]].concat().concat();
    check(without(2), "line 3, entry 2: its number does not follow");
    check(without(0), "line 1: the header is missing");
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    check(swapped.concat(), "line 2, entry 1: ");
    check([&lines[..3], &lines[1..]].concat().concat(), "line 4, entry 3: ");
    check(lines[..3].concat(), "line 4, entry 3: the file ends before it");
    check(bytes[..bytes.len() - 1].to_vec(), "it has no end");
    check(Vec::new(), "the file is empty");
}

#[test]
fn only_the_key_that_was_named_counts() {
    let place = place();
    let (file, key) = exported(&place, "log", &[]);
    let other = Place::new();
    other.good(&["secrets", "init-key"]);
    let foreign = other.good(&["audit", "key"]).trim().to_owned();
    let refused = verify(&file, &foreign, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("not a key that was named"), "{refused:?}");
    let both = verify(&file, &foreign, &["--key", &key]);
    assert_eq!(both.code, Some(0), "{both:?}");
    for bad in ["", "ed25519:00", "age1xyz", &key[..key.len() - 1]] {
        let refused = verify(&file, bad, &[]);
        assert_eq!(refused.code, Some(2), "{bad}: {refused:?}");
    }
    let without = Place::bare().sopwith(&["audit", "verify", &file]);
    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(without.stderr.contains("--key"), "{without:?}");
}

#[test]
fn an_export_never_takes_the_place_of_a_file_and_may_be_a_part() {
    let place = place();
    let (file, key) = exported(&place, "log", &[]);
    let before = fs::read(&file).expect("the export");
    let again = place.sopwith(&["audit", "export", "--output", &file]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("is there already"), "{again:?}");
    assert_eq!(fs::read(&file).expect("the export"), before);
    let exports = place.json(&["audit", "list", "--action", "audit.exported"]);
    assert_eq!(
        exports.as_array().map(Vec::len),
        Some(1),
        "what was refused is no export"
    );

    let (part, _) = exported(&place, "part", &["--from", "2", "--to", "3"]);
    assert_eq!(entry_lines(&part).len(), 2);
    let verified = verify(&part, &key, &[]);
    assert!(
        verified
            .stdout
            .contains("entries 2 to 3, which are a part of the log"),
        "{verified:?}"
    );
    let (recent, _) = exported(&place, "recent", &["--since", "1h"]);
    assert_eq!(verify(&recent, &key, &[]).code, Some(0));
    let none = place.sopwith(&["audit", "export", "--from", "900", "--output", "none.ndjson"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(!place.path("none.ndjson").exists());
    let streamed = place.good(&["audit", "export"]);
    place.write("streamed.ndjson", streamed);
    let streamed = place.path("streamed.ndjson").display().to_string();
    assert_eq!(verify(&streamed, &key, &[]).code, Some(0));
}

#[test]
fn a_service_signs_and_tells_its_anchors_so_that_no_end_can_be_cut_off() {
    let place = place();
    place.write("keep", "#!/bin/sh\nexec /bin/cat >> \"$1\"\n");
    place.add_to_host(&format!(
        "[audit.anchors.disk]\nfile = \"../anchor.ndjson\"\n\n[audit.anchors.sent]\ncommand = \"send\"\n\n\
         [commands.send]\nprogram = \"/bin/sh\"\narguments = ['{}', '{}']\n",
        place.path("keep").display(),
        place.path("sent.ndjson").display()
    ));
    let service = place.serve();
    place.good(&["run", "fixture"]);
    let told = place.good(&["audit", "anchor"]);
    assert!(
        told.contains("anchor disk") && told.contains("it has all up to entry"),
        "{told}"
    );
    let (file, key) = exported(&place, "log", &[]);
    let anchor = place.path("anchor.ndjson").display().to_string();
    let verified = verify(&file, &key, &["--anchor", &anchor]);
    assert!(verified.stdout.contains("it agrees with"), "{verified:?}");
    let nothing = place.path("nothing.ndjson");
    fs::write(&nothing, "").expect("a file");
    let unproven = verify(&file, &key, &["--anchor", &nothing.display().to_string()]);
    assert_eq!(unproven.code, Some(1), "{unproven:?}");
    assert!(
        unproven.stderr.contains("proves nothing of this export"),
        "{unproven:?}"
    );
    until("all anchors to hear of the export", || {
        let doctor = place.sopwith(&["doctor"]).stdout;
        let heard = |name: &str| doctor.contains(&format!("✓ audit log: anchor {name}"));
        (heard("disk") && heard("sent")).then_some(())
    });
    assert_eq!(service.stop(), Some(0));
    // The end of the service was signed and told, too.
    let lines = |name: &str| {
        fs::read_to_string(place.path(name))
            .expect("the anchor")
            .lines()
            .count()
    };
    assert!(lines("anchor.ndjson") >= 2);
    assert_eq!(lines("anchor.ndjson"), lines("sent.ndjson"));

    let record = Connection::open(place.path("state/history.db")).expect("the record");
    let cut =
        "PRAGMA foreign_keys = off; DELETE FROM audit WHERE seq > 3; DELETE FROM audit_payload WHERE seq > 3;
               DELETE FROM audit_checkpoint WHERE seq > 3;";
    record.execute_batch(cut).expect("a change");
    drop(record);
    let (cut_off, _) = exported(&place, "cut-off", &[]);
    assert_eq!(verify(&cut_off, &key, &[]).code, Some(0), "it is whole in itself");
    let found = verify(&cut_off, &key, &["--anchor", &anchor]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stdout.contains("the anchor of "), "{found:?}");
}

#[test]
fn a_dead_anchor_is_told_and_holds_nothing_up() {
    let place = place();
    place.add_to_host("[audit.anchors.gone]\nfile = \"/no/such/disk/anchor.ndjson\"\n");
    let mut service = place.serve();
    let failed = place.sopwith(&["audit", "anchor"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    place.good(&["run", "fixture"]);
    let status = place.good(&["status"]);
    assert!(
        status.contains("anchor gone (/no/such/disk/anchor.ndjson): it has heard nothing yet; `"),
        "{status}"
    );
    let doctor = place.sopwith(&["doctor"]).stdout;
    assert!(doctor.contains("! audit log: anchor gone"), "{doctor}");
    service.wait_for("the anchor cannot be told");
}

#[test]
fn details_that_were_redacted_are_gone_and_the_chain_is_whole() {
    let place = place();
    let shown = place.good(&["audit", "show", "1"]);
    assert!(shown.contains("plugin_digest"), "{shown}");
    let said = place.good(&["audit", "redact", "1", "--reason", "it names a patient"]);
    assert!(said.contains("the details of entry 1 are gone"), "{said}");
    let shown = place.good(&["audit", "show", "1"]);
    assert!(
        shown.contains("redacted by user:") && shown.contains("it names a patient"),
        "{shown}"
    );
    assert!(!shown.contains("plugin_digest"), "{shown}");
    let again = place.sopwith(&["audit", "redact", "1", "--reason", "once more"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        place
            .good(&["audit", "verify"])
            .contains("1 of them were redacted")
    );
    let listed = place.json(&["audit", "list", "--action", "audit.redacted"]);
    assert_eq!(listed[0]["payload"]["reason"], "it names a patient");
    let (file, key) = exported(&place, "log", &[]);
    let verified = verify(&file, &key, &[]);
    assert!(
        verified.stdout.contains("1 of them were redacted"),
        "{verified:?}"
    );
    assert!(entry_lines(&file)[0].get("payload").is_none());
}

#[test]
fn entries_that_are_old_enough_leave_a_signed_tombstone() {
    let place = place();
    let (_, key) = exported(&place, "before", &[]);
    place.add_to_host("[audit]\nkeep = \"1ms\"\n");
    let service = place.serve();
    let verdict = until("the retirement", || {
        let verdict = place.json(&["audit", "verify"]);
        (verdict["retired"].as_u64()? > 0).then_some(verdict)
    });
    assert_eq!(verdict["broken"], Value::Null);
    let gone = place.sopwith(&["audit", "show", "1"]);
    assert_eq!(gone.code, Some(2), "{gone:?}");
    let (after, _) = exported(&place, "after", &[]);
    let verified = verify(&after, &key, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(
        verified.stdout.contains("signed tombstones stand for them"),
        "{verified:?}"
    );
    assert!(verified.stdout.contains("entries 1 to "), "{verified:?}");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn entries_are_listed_by_what_narrows_them() {
    let place = place();
    let listed = place.good(&["audit", "list", "--action", "run.queued", "--since", "1h"]);
    assert!(
        listed.contains("run.queued") && listed.contains("user:"),
        "{listed}"
    );
    let run = place.json(&["runs"])[0]["id"].as_str().expect("an id").to_owned();
    let of_run = place.json(&[
        "audit",
        "list",
        "--object",
        &format!("run:{run}"),
        "--actor",
        "host",
    ]);
    let actions: Vec<_> = of_run
        .as_array()
        .expect("a list")
        .iter()
        .map(|kept| &kept["entry"]["action"])
        .collect();
    assert!(
        !actions.is_empty() && actions[0] == "run.succeeded",
        "{actions:?}"
    );
    let none = place.sopwith(&["audit", "list", "--until", "1h"]);
    assert!(
        none.stdout.is_empty() && none.stderr.contains("no such entry"),
        "{none:?}"
    );
    let wrong = place.sopwith(&["audit", "list", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_key_that_is_gone_is_missed_and_not_replaced() {
    let place = place();
    let (_, _) = exported(&place, "log", &[]);
    let key = place.path("config/key");
    assert!(key.exists(), "it was made at its first use");
    fs::rename(&key, place.path("elsewhere")).expect("a rename");
    let refused = place.sopwith(&["audit", "export", "--output", "again.ndjson"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("is not there any more"), "{refused:?}");
    assert!(!Path::new(&key).exists() && !place.path("again.ndjson").exists());
    let mut service = place.start(&["serve"]);
    service.wait_for("is not there any more");
    let status = place.good(&["status"]);
    assert!(status.contains("the audit log is in trouble"), "{status}");
    let told = place.sopwith(&["audit", "key"]);
    assert!(told.stderr.contains("bring it back"), "{told:?}");
    assert!(!told.stderr.contains("hint:"), "{told:?}");
    fs::rename(place.path("elsewhere"), &key).expect("a rename");
    exported(&place, "again", &[]);
}

#[test]
fn a_key_that_is_damaged_signs_nothing_and_is_told() {
    let place = place();
    place.good(&["secrets", "init-key"]);
    let key = place.path("config/key");
    let text = fs::read_to_string(&key).expect("the key");
    fs::write(&key, text.replace("ED25519-SECRET-KEY-", "ED25519-SECRET-KEY-F")).expect("a file");
    for arguments in [
        &["audit", "key"][..],
        &["audit", "export", "--output", "log.ndjson"],
    ] {
        let refused = place.sopwith(arguments);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("cannot be used"), "{refused:?}");
    }
    assert!(!place.path("log.ndjson").exists());
    let exports = place.json(&["audit", "list", "--action", "audit.exported"]);
    assert_eq!(exports, serde_json::json!([]), "what was refused is no export");
    let status = place.good(&["status"]);
    assert!(
        status.contains("the audit log is in trouble: the host's key"),
        "{status}"
    );
    // What is there can be read and followed all the same.
    assert!(place.good(&["audit", "verify"]).contains("are not signed yet"));
}
