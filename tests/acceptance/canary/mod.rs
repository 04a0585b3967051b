//! Canary secrets in every kind of store go through every capability, and sing nowhere.

mod cage;
mod echo;
mod forms;
mod memory;
mod processes;

use cage::Cage;
use forms::{Canary, Search};

/// Each procedure with its action.
const FLIGHTS: [(&str, &str); 7] = [
    ("parrot", "repeat"),
    ("parrot", "complain"),
    ("parrot-away", "repeat"),
    ("parrot-garbage", "repeat"),
    ("smoke", "check"),
    ("integrity", "audit"),
    ("backup", "backup"),
];

#[test]
fn no_canary_leaves_the_host_by_any_capability_of_any_plugin() {
    let cage = Cage::new();
    let mut said = Vec::new();
    for (procedure, action) in FLIGHTS {
        let ended = cage.run(&["run", procedure, action]);
        said.push((format!("run {procedure} {action}"), ended));
    }
    let service = cage.serve();
    for (procedure, action) in FLIGHTS {
        let ended = cage.run(&["run", procedure, action, "--json"]);
        said.push((format!("run {procedure} {action} by the service"), ended));
        for question in [
            &["show", procedure][..],
            &["show", procedure, "--json"],
            &["logs", procedure],
        ] {
            said.push((question.join(" "), cage.run(question)));
        }
    }
    for question in [
        "status", "runs", "schedule", "plugins", "grants", "check", "doctor",
    ] {
        said.push((question.to_owned(), cage.run(&[question])));
        said.push((format!("{question} --json"), cage.run(&[question, "--json"])));
    }
    said.push((
        "secrets list".to_owned(),
        cage.run(&["secrets", "list", "--json"]),
    ));
    said.push((
        "audit verify".to_owned(),
        cage.run(&["audit", "verify", "--json"]),
    ));
    said.extend(cage.ask_the_socket());
    cage.check_that_all_was_sent();
    cage.check_that_masks_came_back();
    service.stop();
    for (what, text) in said {
        cage.check_silent(&what, &text);
    }
    cage.check_files_silent();
}

#[test]
fn a_search_finds_a_canary_in_each_of_its_forms() {
    let canary = Canary::of("TEST");
    let search = Search::new(std::slice::from_ref(&canary));
    for (form, text) in canary.forms() {
        let found = search.in_bytes(&[b"before ", text.as_slice(), b" behind"].concat());
        assert!(found.iter().any(|needle| needle.form == form), "{form}");
    }
    assert!(search.in_bytes(b"nothing").is_empty());
}
