//! What `show` tells of a run: who is to look at it, what it did, and what to do next.

use crate::place::Place;
use crate::procedures::exerciser;

fn shown(action: &str, rest: &str, inputs: &[&str]) -> String {
    let place = Place::new();
    exerciser(&place, "fixture", &format!("action = \"{action}\"\n{rest}"));
    let inputs = inputs.iter().flat_map(|input| ["--set", input]);
    place.sopwith(&["run", "fixture"].into_iter().chain(inputs).collect::<Vec<_>>());
    place.good(&["show", "fixture"])
}

#[test]
fn a_failure_of_a_plugin_says_who_mends_it_and_what_to_do() {
    let told = shown("panic", "", &[]);
    for line in [
        "attempt 1 started",
        "attempt 1 failed: ",
        "blame      the plugin: whoever wrote it has to mend it",
        "next       have the plugin mended, or go back (`sopwith plugins rollback`), then `sopwith retry ",
    ] {
        assert!(told.contains(line), "{line}:\n{told}");
    }
}

#[test]
fn steps_inputs_attempts_and_calls_are_told() {
    let retried = "[retry]\nmax = 2\nbackoff = \"10ms\"\n";
    let told = shown("steps", retried, &["fail_at=2", "fail_until_attempt=2"]);
    for line in [
        "fail_at=2",
        "attempts   3",
        "attempt 3 started",
        "finished after ",
        "and nothing of ",
    ] {
        assert!(told.contains(line), "{line}:\n{told}");
    }
    assert!(!told.contains("\nnext "), "nothing is left to do:\n{told}");
}
