//! The commands as people and scripts use them: JSON, colours, signals, exit codes.

use crate::place::{Place, Service, until};
use crate::procedures::exerciser;
use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const YEARLY: &str = "[[schedule]]\naction = \"state\"\ncron = \"0 0 1 1 *\"\n";

/// Every command that prints data, and whether it is one document or one a line.
const READING: [&[&str]; 12] = [
    &["check"],
    &["status"],
    &["runs"],
    &["show", "fixture"],
    &["logs", "fixture"],
    &["plugins"],
    &["plugins", "show", "exerciser"],
    &["schedule", "next"],
    &["why", "fixture"],
    &["grants"],
    &["findings"],
    &["audit", "verify"],
];

/// A place with a database and a procedure that has run once.
fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("app/app.db"), "").expect("an empty database");
    exerciser(&place, "fixture", YEARLY);
    place.good(&["run", "fixture", "steps"]);
    place
}

/// What a command prints with `--json`: one document, or one a line.
fn documents(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let ended = place.sopwith(&[arguments, &["--json"]].concat());
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    let stream = serde_json::Deserializer::from_str(&ended.stdout).into_iter();
    let documents: Result<Vec<_>, _> = stream.collect();
    documents.unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", ended.stdout))
}

/// The one run that is under way.
fn running(place: &Place) -> String {
    until("a run that is under way", || {
        let runs = place.json(&["runs", "--state", "running"]);
        runs[0]["id"].as_str().map(str::to_owned)
    })
}

fn state(place: &Place, run: &str) -> Value {
    place.json(&["show", run])["details"]["run"]["state"].clone()
}

/// A command that runs a procedure which sleeps, once that is under way.
fn sleeper(place: &Place) -> (Service, String) {
    let command = place.start(&["run", "fixture", "sleep", "--set", "milliseconds=600000"]);
    let run = running(place);
    (command, run)
}

#[test]
fn every_command_prints_json_and_nothing_else_when_asked_to() {
    let place = place();
    for command in READING {
        assert!(
            !documents(&place, command).is_empty(),
            "{command:?} prints nothing"
        );
    }
    let ran = &documents(&place, &["run", "fixture"])[0];
    assert_eq!(ran["state"], "succeeded");
    let doctor = place.sopwith(&["doctor", "--json"]).stdout;
    assert!(serde_json::from_str::<Value>(&doctor).expect("JSON").is_array());

    let fresh = Place::bare();
    assert!(documents(&fresh, &["init"])[0]["wrote"].is_array());
    place.write("config/procedures/bad.toml", "corn = 1\n");
    let checked = place.sopwith(&["check", "--json"]);
    let checked: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let told = checked["diagnostics"].as_array().expect("a list");
    assert!(told.iter().any(|one| one["severity"] == "error"), "{checked:#}");
}

#[test]
fn answers_are_the_same_with_a_service_and_without() {
    let place = place();
    // When the host came up, what its start adds to the audit log, and whether it has the files in force, are its own.
    let stable = |command: &&&[&str]| !matches!(command[0], "status" | "audit" | "check");
    let without: Vec<_> = READING
        .iter()
        .filter(stable)
        .map(|command| documents(&place, command))
        .collect();
    let service = place.serve();
    let with: Vec<_> = READING
        .iter()
        .filter(stable)
        .map(|command| documents(&place, command))
        .collect();
    assert_eq!(without, with);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn nothing_is_coloured_that_does_not_go_to_a_terminal() {
    let place = place();
    for command in READING {
        let ended = place.sopwith(command);
        let printed = ended.stdout + &ended.stderr;
        assert!(!printed.contains('\u{1b}'), "{command:?}: {printed}");
    }
    let coloured = |more: &[(&str, &str)]| {
        let mut command = place.command(&["runs"]);
        command.env("CLICOLOR_FORCE", "1").envs(more.iter().copied());
        let printed = command.output().expect("the command starts").stdout;
        printed.contains(&0x1b)
    };
    assert!(coloured(&[]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn there_are_completions_for_each_shell() {
    let place = Place::bare();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.good(&["completions", shell]);
        assert!(
            script.contains("sopwith") && script.contains("schedule"),
            "{shell}"
        );
    }
}

#[test]
fn a_run_of_the_service_is_cancelled_over_the_socket() {
    let place = place();
    let service = place.serve();
    let id = place.good(&[
        "run",
        "fixture",
        "sleep",
        "--set",
        "milliseconds=600000",
        "--detach",
    ]);
    let id = id.trim();
    assert_eq!(running(&place), id);
    assert_eq!(documents(&place, &["cancel", id])[0]["id"], id);
    until("the end of the run", || {
        (state(&place, id) == "cancelled").then_some(())
    });
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn whatever_signal_asks_a_command_that_is_the_host_to_end_its_run_is_cancelled() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let place = place();
        let (mut command, run) = sleeper(&place);
        command.signal(signal);
        command.wait_for("asking the run to end");
        assert_eq!(command.end(), Some(1));
        assert_eq!(state(&place, &run), "cancelled", "{signal:?}");
    }
}

#[test]
fn a_procedure_to_cancel_means_its_run_that_is_under_way() {
    let place = place();
    let service = place.serve();
    let (command, run) = sleeper(&place);
    // A newer one, which has ended.
    place.good(&["run", "fixture", "steps", "--dry-run"]);
    assert_eq!(documents(&place, &["cancel", "fixture"])[0]["id"], run.as_str());
    assert_eq!(command.end(), Some(1));
    assert_eq!(place.sopwith(&["cancel", "nothing"]).code, Some(2));
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_dry_run_is_not_what_status_shows_as_the_last_one() {
    let place = place();
    let last = |action: &str| {
        let status = place.json(&["status"]);
        let actions = status["procedures"][0]["actions"].as_array().expect("a list");
        let of = actions.iter().find(|one| one["action"] == action);
        of.map(|one| one["last_run"]["id"].clone())
    };
    let before = last("steps");
    assert!(before.is_some());
    place.good(&["run", "fixture", "steps", "--dry-run"]);
    place.good(&["run", "fixture", "findings", "--dry-run", "--set", "subjects=[]"]);
    assert_eq!((last("steps"), last("findings")), (before, None));
}

#[test]
fn warnings_stand_behind_what_status_is_asked_for() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\nreview_by = 2020-01-01\n");
    let never = place.sopwith(&["show", "fixture"]);
    assert_eq!(never.code, Some(2), "{never:?}");
    assert!(never.stderr.contains("`fixture` has not run yet"), "{never:?}");
    let told = place.good(&["status"]);
    assert!(told.trim_end().ends_with("`sopwith check` tells them"), "{told}");
    assert!(
        told.contains(" warnings; ") && !told.contains("warning:"),
        "{told}"
    );
}

#[test]
fn open_findings_are_listed_until_they_are_not_found_again() {
    let place = place();
    let found = |subjects: &str| {
        let inputs = format!("subjects={subjects}");
        place.sopwith(&["run", "fixture", "findings", "--set", &inputs]);
        place.good(&["findings", "fixture"])
    };
    let listed = found(r#"["roof", "cellar"]"#);
    assert!(listed.contains("roof") && listed.contains("cellar"), "{listed}");
    let listed = found(r#"["roof"]"#);
    assert!(listed.contains("roof") && !listed.contains("cellar"), "{listed}");
    assert_eq!(found("[]"), "no finding stands open\n");
}

#[test]
fn who_asks_again_under_a_key_is_told_and_a_key_of_nothing_is_refused() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    let run = |key: &str| place.sopwith(&["run", "fixture", "--key", key]);
    let before = "which was asked for under this key before";
    let first = run("17");
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(!first.stderr.contains(before), "{first:?}");
    assert!(run("17").stderr.contains(before));
    for key in ["", " "] {
        let refused = run(key);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains("is empty, and nothing was run"),
            "{refused:?}"
        );
    }
    let runs = place.json(&["runs"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
}

#[test]
fn interrupting_a_command_that_watches_a_service_leaves_the_run_alone() {
    let place = place();
    let service = place.serve();
    let (mut command, run) = sleeper(&place);
    command.interrupt();
    let line = command.wait_for("the run goes on");
    assert!(line.contains(&format!("sopwith cancel {run}")), "{line}");
    assert_eq!(command.end(), Some(1));
    assert_eq!(state(&place, &run), "running");
    place.good(&["cancel", &run]);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_run_is_followed_to_its_end() {
    let place = Place::new();
    exerciser(
        &place,
        "fixture",
        "action = \"steps\"\n[retry]\nmax = 1\nbackoff = \"1s\"\n",
    );
    let service = place.serve();
    let inputs = ["--set", "fail_at=2", "--set", "fail_until_attempt=1"];
    place.good(&[&["run", "fixture", "--detach"], &inputs[..]].concat());
    let mut follower = place.start(&["logs", "--follow", "fixture"]);
    follower.wait_for("step `second` failed");
    follower.wait_for("step `first` had been finished by an earlier attempt");
    follower.wait_for("step `third` finished");
    assert_eq!(follower.end(), Some(0));
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn why_tells_of_ticks_that_ran_that_were_skipped_and_that_were_missed() {
    let place = Place::new();
    exerciser(
        &place,
        "fixture",
        "[[schedule]]\naction = \"sleep\"\ninputs = { milliseconds = 1200 }\ncron = \"* * * * * *\"\nseconds = true\n",
    );
    let service = place.serve();
    until("a tick that was skipped", || {
        place
            .good(&["why", "fixture"])
            .contains("skipped(overlap)")
            .then_some(())
    });
    assert_eq!(service.stop(), Some(0));
    let mut coming = BTreeSet::new();
    until("some ticks without a host", || {
        coming.insert(place.json(&["schedule", "next"])[0]["at"].to_string());
        (coming.len() > 3).then_some(())
    });
    let service = place.serve();
    let told = until("a tick that was missed", || {
        let told = place.good(&["why", "fixture"]);
        told.contains("missed(downtime)").then_some(told)
    });
    assert!(told.contains("ran as "), "{told}");
    assert!(told.contains("comes next"), "{told}");
    let then = place.good(&["why", "fixture", "2020-01-01"]);
    assert!(
        then.contains("is on record; the oldest run on record is of 20"),
        "{then}"
    );
    let then = place.good(&["why", "fixture", "2199-01-01T00:00:00Z"]);
    assert!(then.contains("is to come; the tick then is 2"), "{then}");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn coming_ticks_are_marked_on_days_on_which_the_clocks_change() {
    let place = Place::new();
    exerciser(
        &place,
        "fixture",
        "[[schedule]]\naction = \"state\"\ncron = \"30 2 * * 0\"\ntime_zone = \"Europe/Berlin\"\n",
    );
    let ticks = place.json(&["schedule", "next", "--count", "60"]);
    let mut marked = 0_usize;
    for tick in ticks.as_array().expect("a list") {
        let local = tick["local"].as_str().expect("a time");
        // The last Sundays of March and October.
        let (month, day) = (&local[5..7], local[8..10].parse::<u8>().expect("a day"));
        let changes = matches!(month, "03" | "10") && day > 24;
        assert_eq!(tick["near_clock_change"], changes, "{tick}");
        marked += usize::from(changes);
        // There is no 02:30 in the night in which the clocks go forward.
        let hour = if changes && month == "03" {
            " 03:00"
        } else {
            " 02:30"
        };
        assert!(local.contains(hour), "{tick}");
    }
    assert!(marked >= 2, "{ticks:#}");
    let shown = place.good(&["schedule", "next", "--count", "60"]);
    assert_eq!(shown.matches("the clocks change on this day").count(), marked);
}

#[test]
fn what_is_not_granted_ends_with_four_and_the_line_that_grants_it() {
    let place = Place::new();
    exerciser(
        &place,
        "fixture",
        "action = \"state\"\n[settings]\ndirectory = \"backups\"\n",
    );
    let ended = place.sopwith(&["run", "fixture", "read-file", "--set", "path=x"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let line = "directories = { backups = \"read\" }";
    assert!(ended.stderr.contains(line), "{ended:?}");
}

#[test]
fn a_host_that_does_not_answer_ends_commands_with_five() {
    let place = place();
    let lock = fs::File::open(place.path("state/lock")).expect("the lock");
    flock(&lock, FlockOperation::LockExclusive).expect("nobody holds it");
    let ended = place.sopwith(&["status"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stderr.contains("does not answer"), "{ended:?}");
}
