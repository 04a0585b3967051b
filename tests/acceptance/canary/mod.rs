//! Canary secrets in every kind of store go through every capability, and sing nowhere.

mod cage;
mod echo;
mod forms;
mod memory;
mod processes;
mod service;
mod watched;

use cage::Cage;
use forms::{Canary, Search};
use serde_json::Value;

/// A procedure with its action and inputs.
type Flight = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Those that see no canary themselves.
const FLIGHTS: [Flight; 12] = [
    ("parrot", "repeat", &[]),
    ("parrot", "complain", &[]),
    ("parrot-away", "repeat", &[]),
    ("parrot-garbage", "repeat", &[]),
    ("smoke", "check", &[]),
    ("smoke", "wait", &[("limit", "1s")]),
    ("integrity", "audit", &[]),
    ("backup", "backup", &[]),
    ("backup", "list", &[]),
    ("backup", "verify", &[]),
    ("backup", "prune", &[]),
    ("backup", "restore", &[]),
];
/// One that sees canaries, and makes others of them.
const SEEING: Flight = ("seeing", "repeat", &[]);

#[test]
fn no_canary_leaves_the_host_by_any_capability_of_any_plugin() {
    let cage = Cage::new();
    let mut said = fly(&cage, &["--json"]);
    let service = cage.serve();
    said.extend(fly(&cage, &["--json"]));
    said.extend(fly(&cage, &[]));
    said.extend(ask(&cage));
    said.extend(cage.ask_the_socket());
    cage.check_that_all_was_sent();
    cage.check_that_masks_came_back();
    service.stop();
    for (what, text) in said {
        cage.check_silent(&what, &text);
    }
    cage.check_files_silent();
}

/// What every flight says, and what is said of it.
fn fly(cage: &Cage, options: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut said = Vec::new();
    for (procedure, action, inputs) in FLIGHTS.into_iter().chain([SEEING]) {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(name, value)| format!("--set={name}={value}"))
            .collect();
        let inputs = inputs.iter().map(String::as_str);
        let arguments: Vec<_> = ["run", procedure, action].into_iter().chain(inputs).collect();
        let ended = cage.run(&[&arguments, options].concat());
        said.push((arguments.join(" "), ended));
        for question in [&["show", procedure][..], &["logs", procedure]] {
            said.push((question.join(" "), cage.run(question)));
        }
        let shown = cage.run(&["show", procedure, "--json"]);
        // A flight that did not take place would be silent.
        let told = serde_json::Deserializer::from_slice(&shown).into_iter().next();
        let told: Value = told.expect("a document").expect("JSON");
        let expected = if action == "complain" {
            "failed"
        } else {
            "succeeded"
        };
        let run = &told["details"]["run"];
        assert_eq!(run["state"], expected, "{procedure} {action}: {run:#}");
        said.push((format!("show {procedure} --json"), shown));
    }
    said
}

/// What is said of all of them.
fn ask(cage: &Cage) -> Vec<(String, Vec<u8>)> {
    let questions = [
        &["secrets", "list"][..],
        &["audit", "verify"],
        &["status"],
        &["runs"],
        &["schedule"],
        &["plugins"],
        &["grants"],
        &["check"],
        &["doctor"],
    ];
    let asked = questions.into_iter().flat_map(|question| {
        let plain = (question.join(" "), cage.run(question));
        let json = [question, &["--json"]].concat();
        [plain, (json.join(" "), cage.run(&json))]
    });
    asked.collect()
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
