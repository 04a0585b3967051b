//! What changes while the host runs.

use crate::place::{Place, until};
use crate::procedures::exerciser;
use serde_json::Value;
use std::os::unix::ffi::OsStrExt as _;

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

#[test]
fn what_is_gone_is_told_and_a_folder_that_is_gone_takes_nothing_with_it() {
    let place = Place::new();
    exerciser(&place, "fixture", EVERY_SECOND);
    exerciser(&place, "other", "");
    let mut service = place.serve();
    std::fs::remove_file(place.path("config/procedures/other.toml")).expect("the file");
    service.wait_for("the procedure `other` is not run any more");

    std::fs::rename(place.path("config/procedures"), place.path("aside")).expect("the folder");
    let line = service.wait_for("the folder is gone");
    assert!(line.contains("`fixture`"), "{line}");
    until_it_ran_again(&place, "fixture");
    let ended = place.sopwith(&["run", "fixture", "steps"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("their last change was refused"),
        "{ended:?}"
    );

    std::fs::rename(place.path("aside"), place.path("config/procedures")).expect("the folder");
    service.wait_for("is in force");
    until_it_ran_again(&place, "fixture");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn names_that_are_not_utf8_and_pipes_in_the_place_of_databases_hold_nothing_up() {
    let place = Place::new();
    exerciser(&place, "fixture", EVERY_SECOND);
    let mut service = place.serve();
    let name = std::ffi::OsStr::from_bytes(b"config/procedures/bad\xff.toml");
    let odd = place.path("").join(name);
    std::fs::write(&odd, "").expect("a file");
    service.wait_for("the name of this file is not UTF-8");
    assert_eq!(place.sopwith(&["check"]).code, Some(3));
    until_it_ran_again(&place, "fixture");
    std::fs::remove_file(&odd).expect("the file");

    let pipe = place.path("app/app.db");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).expect("a pipe");
    place.write("config/procedures/other.toml", "plugin = \"exerciser\"\n");
    service.wait_for("it is no plain file");
    assert_eq!(place.sopwith(&["check"]).code, Some(0));
    place.good(&["run", "other", "steps"]);
    assert_eq!(service.stop(), Some(0));
}
