//! What changes while the host runs.

use crate::place::{Place, until};
use crate::procedures::exerciser;
use serde_json::Value;

const EVERY_SECOND: &str = "[[schedule]]\naction = \"state\"\ncron = \"* * * * * *\"\nseconds = true\n";

/// The newest runs of a procedure, newest first.
fn runs(place: &Place, procedure: &str) -> Vec<Value> {
    let runs = place.json(&["runs", procedure, "--limit", "100"]);
    runs.as_array().expect("a list").clone()
}

/// Waits for more runs of a procedure than there are.
fn until_it_ran_again(place: &Place, procedure: &str) {
    let before = runs(place, procedure).len();
    until("another run", || {
        (runs(place, procedure).len() > before).then_some(())
    });
}

#[test]
fn a_new_plugin_starts_on_its_next_tick_and_a_broken_file_disturbs_nothing() {
    let place = Place::new();
    let mut service = place.serve();
    exerciser(&place, "fixture", EVERY_SECOND);
    service.wait_for("is in force");
    until_it_ran_again(&place, "fixture");

    place.write(
        "config/procedures/fixture.toml",
        "summary = \"broken\"\nplugin = \"exerciser\"\ncorn = 1\n",
    );
    let line = service.wait_for("corn");
    assert!(line.contains("unknown") || line.contains("corn"), "{line}");
    assert!(place.good(&["status"]).contains("`corn`"));
    assert_eq!(place.sopwith(&["check"]).code, Some(3));
    until_it_ran_again(&place, "fixture");

    exerciser(
        &place,
        "fixture",
        &(EVERY_SECOND.replace("state", "findings") + "inputs = { subjects = [] }\n"),
    );
    service.wait_for("is in force");
    assert!(!place.good(&["status"]).contains("corn"));
    assert_eq!(place.sopwith(&["check"]).code, Some(0));
    until("a run of the mended file", || {
        runs(&place, "fixture")
            .iter()
            .any(|run| run["action"] == "findings")
            .then_some(())
    });
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_host_with_broken_files_runs_the_last_good_ones_and_says_so() {
    let place = Place::new();
    exerciser(&place, "fixture", EVERY_SECOND);
    let service = place.serve();
    until_it_ran_again(&place, "fixture");
    service.stop();
    place.write(
        "config/sopwith.toml",
        "[host]\ndata_directory = \"../state\"\nnonsense = true\n",
    );
    let service = place.serve();
    assert!(place.good(&["status"]).contains("last good"));
    until_it_ran_again(&place, "fixture");
    service.stop();
}

#[test]
fn without_any_good_configuration_the_service_refuses_with_three() {
    let place = Place::new();
    place.add_to_host("[hots]\n");
    let ended = place.sopwith(&["serve"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("hots"), "{ended:?}");
}
