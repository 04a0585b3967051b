//! Commands of the operator, run by a procedure: named, listed in dry runs, and gone with their host.

use crate::place::{Ended, Place, until};
use crate::procedures::exerciser;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A place with commands, and the fixture `fixture` that may run all of them.
fn place() -> Place {
    let place = Place::new();
    let marker = place.path("marker");
    place.add_to_host(&format!(
        r#"
[commands.greet]
program = "/bin/sh"
arguments = ["-c", 'env; cat; printf "%s" "$1"', "sh", "--name={{name}}"]
environment = {{ GREETING = "hello" }}
effects = "none"
[commands.greet.blanks]
name = {{ pattern = '[a-z ;$()`]{{1,40}}' }}

[commands.touch]
program = "/bin/sh"
arguments = ["-c", ": >{marker}"]

[commands.serve]
program = "/bin/sh"
arguments = ["-c", "echo $$ >{marker}; (setsid sleep 1000 &) ; echo ready; sleep 1000"]
"#,
        marker = marker.display(),
    ));
    exerciser(
        &place,
        "fixture",
        r#"action = "command"
resume_max = 0

[grants]
commands = ["greet", "touch", "serve"]

[actions.dump.grants]
directories = { backups = "write" }

[settings]
commands = ["greet", "touch", "serve"]
directory = "backups"
"#,
    );
    place
}

fn run(place: &Place, action: &str, inputs: &[&str]) -> Ended {
    let inputs = inputs.iter().flat_map(|input| ["--set", input]);
    let arguments: Vec<&str> = ["run", "fixture", action].into_iter().chain(inputs).collect();
    place.sopwith(&arguments)
}

/// What the newest run told.
fn told(place: &Place) -> Value {
    let shown = place.json(&["show", "fixture"]);
    shown["details"]["run"]["report"]["output"].clone()
}

/// Those that the host plans and did, as the record has it.
fn noted(place: &Place, note: &str) -> Vec<String> {
    let shown = place.json(&["show", "fixture"]);
    let lines = shown["journal"].as_array().expect("a record").iter();
    let notes = lines.map(|line| line.as_array().map_or(line, |pair| &pair[1]));
    let notes = notes.filter(|one| one["note"] == note);
    notes
        .map(|one| format!("{} {}", one["call"], one["object"]).replace('"', ""))
        .collect()
}

#[test]
fn a_command_is_run_by_its_name_with_what_it_was_told_and_nothing_more() {
    let place = place();
    let ended = run(
        &place,
        "command",
        &[
            "command=greet",
            "input=in ",
            r#"blanks={"name": "a; $(id) `id`"}"#,
        ],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut told = told(&place);
    let text = told["text"].take();
    // A shell adds these by itself.
    let own =
        |line: &&str| !line.starts_with("PWD=") && !line.starts_with("_=") && !line.starts_with("SHLVL=");
    let lines: Vec<&str> = text.as_str().expect("a text").lines().filter(own).collect();
    assert_eq!(lines, ["GREETING=hello", "in --name=a; $(id) `id`"]);

    let ended = run(
        &place,
        "command",
        &["command=greet", r#"blanks={"name": "UPPER"}"#],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("it is not as the pattern"), "{ended:?}");
    let ended = run(&place, "dump", &["command=greet", "file=out"]);
    assert!(
        ended.stdout.contains("the blank `name` is not filled in"),
        "{ended:?}"
    );
}

#[test]
fn a_dry_run_lists_commands_that_change_something_and_runs_none_of_them() {
    let place = place();
    let dry = |action: &str, command: &str| {
        let input = format!("command={command}");
        let ended = place.sopwith(&[
            "run",
            "fixture",
            action,
            "--dry-run",
            "--set",
            &input,
            "--set",
            "file=out",
        ]);
        (ended, noted(&place, "planned"))
    };
    let (ended, planned) = dry("dump", "touch");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(planned, ["flow.from-command commands.touch"]);
    let ended = place.sopwith(&["run", "fixture", "--dry-run", "--set", "command=touch"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(noted(&place, "planned"), ["commands.run commands.touch"]);
    assert!(!place.path("marker").exists());
    assert_eq!(
        fs::read_dir(place.path("backups")).expect("the folder").count(),
        0
    );

    assert_eq!(run(&place, "command", &["command=touch"]).code, Some(0));
    assert_eq!(noted(&place, "change"), ["commands.run commands.touch"]);
    assert!(place.path("marker").exists());
}

#[test]
fn a_process_is_started_read_and_stopped() {
    let place = place();
    let ended = run(&place, "process", &["command=serve", "until=ready"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = told(&place);
    assert_eq!(
        (&told["exit_code"], &told["text"]),
        (&json!(143), &json!("ready\n"))
    );
    assert!(!alive(&place.path("marker")));
}

#[test]
fn a_command_dies_with_a_host_that_is_killed() {
    let place = place();
    let service = place.serve();
    place.good(&[
        "run",
        "fixture",
        "process",
        "--detach",
        "--set",
        "command=serve",
        "--set",
        "until=never",
    ]);
    let marker = place.path("marker");
    until("the command", || alive(&marker).then_some(()));
    let family = family(&marker);
    assert!(
        family.len() >= 3,
        "its own sleep and the one that moved away: {family:?}"
    );
    service.kill();
    until("the end of the command and of all that it started", || {
        let left = family.iter().any(|process| goes_on(process));
        (!left).then_some(())
    });

    let service = place.serve();
    let ended = until("what became of the run", || {
        let run = place.json(&["show", "fixture"])["details"]["run"].clone();
        (run["state"] != "running").then_some(run)
    });
    assert_eq!(ended["state"], "lost", "{ended:#}");
    assert_eq!(service.stop(), Some(0));
}

/// Whether the process goes on whose number the file holds.
fn alive(marker: &Path) -> bool {
    let number = fs::read_to_string(marker).unwrap_or_default();
    number.ends_with('\n') && goes_on(number.trim())
}

/// Whether there is such a process, and more of it than an entry that its parent has not looked at.
fn goes_on(process: &str) -> bool {
    field(process, 0).is_some_and(|state| state != "Z")
}

/// The process whose number the file holds, and everything that it or its supervisor started.
fn family(marker: &Path) -> Vec<String> {
    let head = fs::read_to_string(marker).expect("its number").trim().to_owned();
    let mut family = vec![parent(&head).expect("its supervisor")];
    let mut known = 0;
    while known < family.len() {
        known = family.len();
        for entry in fs::read_dir("/proc").expect("processes").flatten() {
            let process = entry.file_name().into_string().unwrap_or_default();
            let is_child = parent(&process).is_some_and(|parent| family.contains(&parent));
            if is_child && !family.contains(&process) {
                family.push(process);
            }
        }
    }
    family
}

fn parent(process: &str) -> Option<String> {
    field(process, 1)
}

/// A field of the line that the system has of a process, counted from its state.
fn field(process: &str, number: usize) -> Option<String> {
    let stat = fs::read_to_string(Path::new("/proc").join(process).join("stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number).map(str::to_owned)
}
