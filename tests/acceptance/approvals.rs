//! Runs that ask people: on the command line, with users of the operating system.

use crate::place::{Ended, Place};
use rustix::fs::{Gid, chown};
use rustix::process::getuid;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

/// `nobody`
const NOBODY: u32 = 65_534;
/// `daemon`
const DAEMON: u32 = 1;

/// A place whose procedure asks for two approvals, and then for somebody who looks.
fn place(roles: &str) -> Place {
    let place = Place::new();
    place.add_to_host(roles);
    place.drop_in("exerciser", "exerciser");
    place.write(
        "config/procedures/deploy.toml",
        "plugin = \"exerciser\"\naction = \"ask\"\n\n[gates.release]\ncount = 2\n",
    );
    place
}

/// The id of the newest run of a procedure, and where it stands.
fn newest(place: &Place, procedure: &str) -> (String, String) {
    let shown = place.json(&["show", procedure]);
    let field = |name: &str| shown["details"]["run"][name].as_str().expect("text").to_owned();
    (field("id"), field("state"))
}

/// Lets others in at the socket, as an operator does who gives the directory to a group.
fn open_to_others(place: &Place) {
    for (path, mode) in [(".", 0o711), ("state", 0o711), ("state/sopwith.sock", 0o660)] {
        set_permissions(place.path(path), Permissions::from_mode(mode)).expect("a mode");
    }
    let socket = place.path("state/sopwith.sock");
    chown(socket, None, Some(Gid::from_raw(NOBODY))).expect("a group");
}

fn as_user(place: &Place, uid: u32, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command.uid(uid).gid(NOBODY);
    Ended::of(command.output().expect("the command starts"))
}

#[test]
fn a_run_goes_on_once_two_others_have_approved_and_one_has_looked() {
    if !getuid().is_root() {
        eprintln!("only root can act as others");
        return;
    }
    let place = place("[roles]\nadmin = [\"user:root\"]\napprover = [\"group:nogroup\", \"user:daemon\"]");
    let service = place.serve();
    open_to_others(&place);
    let ended = place.sopwith(&["run", "deploy"]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("waits for approval of `release`"),
        "{}",
        ended.stdout
    );

    let own = place.sopwith(&["approve", "deploy"]);
    assert_eq!(own.code, Some(4), "{}", own.stderr);
    assert!(
        own.stderr
            .contains("nobody approves what they asked for themselves")
    );
    let first = as_user(&place, NOBODY, &["approve", "deploy", "--note", "looks good"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("0042_add_index"), "{}", first.stdout);
    assert!(first.stdout.contains("1 of 2 given"), "{}", first.stdout);
    let again = as_user(&place, NOBODY, &["approve", "deploy"]);
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    assert!(as_user(&place, NOBODY, &["secrets", "list"]).code == Some(0));
    assert_eq!(as_user(&place, NOBODY, &["cancel", "deploy"]).code, Some(4));

    // What was asked and answered outlives the host.
    service.kill();
    let mut service = place.serve();
    open_to_others(&place);
    let second = as_user(&place, DAEMON, &["approve", "deploy"]);
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    service.wait_for("gate=looked");
    let wrong = place.sopwith(&["approve", "deploy"]);
    assert!(
        wrong.stderr.contains("asks for an attestation"),
        "{}",
        wrong.stderr
    );
    place.good(&["attest", "deploy", "looked", "--note", "the page is green"]);
    let (id, _) = newest(&place, "deploy");
    let ended = place.sopwith(&["logs", &id, "--follow"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let shown = place.good(&["show", &id]);
    for line in [
        "user:nobody approved `release`: looks good",
        "user:daemon approved `release`",
        "user:root attested `looked`: the page is green",
        "seen: the page is green",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    place.good(&["audit", "verify"]);
}

#[test]
fn without_a_service_a_run_that_waits_is_answered_and_goes_on_with_the_next_host() {
    let place = place("");
    assert_eq!(place.sopwith(&["run", "deploy"]).code, Some(6));
    let (id, state) = newest(&place, "deploy");
    assert_eq!(state, "suspended");
    let refused = place.sopwith(&["approve", &id, "--break-glass"]);
    assert_eq!(refused.code, Some(2), "a reason is missing");
    let ended = place.sopwith(&["approve", &id, "--break-glass", "--reason", "the site is down"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("the glass was broken"), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("goes on when one starts"),
        "{}",
        ended.stdout
    );
    // The next command that runs something takes it up.
    let mut service = place.serve();
    service.wait_for("gate=looked");
    assert!(place.good(&["status"]).contains("attest `looked`"));
    place.good(&["attest", &id, "looked"]);
    let ended = place.sopwith(&["logs", &id, "--follow"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(newest(&place, "deploy").1, "succeeded");
}

#[test]
fn a_rejected_start_ends_with_seven_and_a_retry_asks_anew() {
    let place = place("");
    place.write(
        "config/procedures/nightly.toml",
        "plugin = \"exerciser\"\naction = \"steps\"\n\n[gates.start]\n",
    );
    assert_eq!(place.sopwith(&["run", "nightly"]).code, Some(6));
    place.good(&["reject", "nightly", "--note", "not tonight"]);
    let (id, state) = newest(&place, "nightly");
    assert_eq!(state, "rejected");
    let ended = place.sopwith(&["retry", &id]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let shown = place.good(&["show", "nightly"]);
    assert!(shown.contains(&format!("again after {id}")), "{shown}");
}

#[test]
fn a_suspended_run_goes_on_by_itself() {
    let place = place("");
    place.write(
        "config/procedures/later.toml",
        "plugin = \"exerciser\"\naction = \"later\"\n",
    );
    let _service = place.serve();
    let run = ["run", "later", "--set", "milliseconds=1500"];
    assert_eq!(place.sopwith(&run).code, Some(6));
    let ended = place.sopwith(&[&run[..], &["--through"]].concat());
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let shown = place.good(&["show", "later"]);
    assert!(
        shown.contains("suspended until") && !shown.contains("step `wait` failed"),
        "{shown}"
    );
}
