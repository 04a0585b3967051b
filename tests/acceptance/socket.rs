//! The socket of a host: who can open it, who speaks, and whoever wants its place.

use crate::place::{Place, Service, until};
use crate::procedures::exerciser;
use rusqlite::Connection;
use rustix::process::getuid;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

/// `nobody`
const NOBODY: u32 = 65_534;

#[test]
fn the_socket_is_for_owner_and_group_in_a_directory_for_the_owner_whatever_the_umask() {
    let place = Place::new();
    let mode = |path: &str| {
        let metadata = fs::symlink_metadata(place.path(path)).expect("it is there");
        (
            metadata.file_type().is_socket(),
            metadata.permissions().mode() & 0o777,
        )
    };
    for umask in ["umask 000", "umask 077"] {
        let mut service = Service::start(place.command_after(umask, &["serve"]));
        service.wait_for("ready");
        assert_eq!(mode("state"), (false, 0o700), "{umask}");
        assert_eq!(mode("state/sopwith.sock"), (true, 0o660), "{umask}");
        assert_eq!(service.stop(), Some(0));
    }
}

#[test]
fn a_key_of_nothing_is_refused_at_the_socket_too() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    let service = place.serve();
    let body = r#"{ "procedure": "fixture", "inputs": {}, "key": "" }"#;
    let request = format!(
        "POST /runs HTTP/1.1\r\nhost: sopwith\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = UnixStream::connect(place.path("state/sopwith.sock")).expect("the socket");
    socket.write_all(request.as_bytes()).expect("it is asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(answer.contains("is empty, and nothing was run"), "{answer}");
    assert_eq!(service.stop(), Some(0));
}

/// A service of another user, where this user may start one; else one of this user.
fn serve_as_another(place: &Place) -> Service {
    let mut command = place.command(&["serve"]);
    let mut trial = place.command(&["--version"]);
    if getuid().is_root() && trial.uid(NOBODY).gid(NOBODY).output().is_ok() {
        give_away(&place.path(""));
        command.uid(NOBODY).gid(NOBODY);
    } else {
        println!("left out: no other user can serve here, so the actor is the host's user, too");
    }
    let mut service = Service::start(command);
    service.wait_for("ready");
    service
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            give_away(&entry.expect("an entry").path());
        }
    }
}

fn assert_is_me(actor: &Value, what: &str) {
    assert_eq!(actor["kind"], "user", "{what}: {actor}");
    assert_eq!(actor["uid"], getuid().as_raw(), "{what}: {actor}");
    let name = actor["name"].as_str().expect("a name");
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = format!("{name}:");
    let is_known = passwd.lines().any(|user| {
        let uid = user.split(':').nth(2).and_then(|uid| uid.parse().ok());
        user.starts_with(&line) && uid == Some(getuid().as_raw())
    });
    assert!(
        is_known || name == getuid().as_raw().to_string(),
        "{what}: {actor}"
    );
}

#[test]
fn who_submits_a_run_over_the_socket_is_its_actor_in_the_record_and_in_the_audit_log() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    let service = serve_as_another(&place);
    let run = place.json(&["run", "fixture"]);
    assert_is_me(&run["actor"], "the run");
    let id = run["id"].as_str().expect("an id");
    assert_eq!(service.stop(), Some(0));
    let record = Connection::open(place.path("state/history.db")).expect("the record");
    let queued = "SELECT actor FROM audit WHERE object = ?1 ORDER BY seq LIMIT 1";
    let actor: String = record
        .query_row(queued, [format!("run:{id}")], |row| row.get(0))
        .expect("an entry");
    assert_is_me(&serde_json::from_str(&actor).expect("JSON"), "the audit log");
}

#[test]
fn a_service_waits_for_a_command_that_holds_the_data_directory_and_says_so() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"sleep\"\n");
    let command = place.start(&["run", "fixture", "--set", "milliseconds=3600000"]);
    until("a run of the command", || {
        let running = place.json(&["runs", "--state", "running"]);
        (!running.as_array().expect("a list").is_empty()).then_some(())
    });
    let mut service = place.start(&["serve"]);
    let said = service.wait_for("waiting for a command that uses");
    assert!(
        said.contains(&place.path("state").display().to_string()),
        "{said}"
    );
    place.good(&["cancel", "fixture"]);
    assert_eq!(command.end(), Some(1), "its run did not pass");
    service.wait_for("ready");
    assert_eq!(service.stop(), Some(0));
}
