//! What the record tells afterwards: show, why, runs, and what the exit codes mean.

use crate::place::Place;
use crate::procedures::exerciser;

#[test]
fn exit_codes_say_what_happened() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    for (arguments, code) in [
        (&["run", "fixture"][..], 0),
        (&["run", "fixture", "panic"], 1),
        (&["run", "fixtur"], 2),
        (&["run", "fixture", "no-such-action"], 2),
        (&["run", "fixture", "sleep", "--set", "milliseconds=\"soon\""], 2),
        (&["show", "nothing"], 2),
        (&["frobnicate"], 2),
    ] {
        let ended = place.sopwith(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
    }
    assert!(
        place
            .sopwith(&["run", "fixtur"])
            .stderr
            .contains("did you mean `fixture`?")
    );
    place.write("config/procedures/fixture.toml", "plugin = 7\n");
    assert_eq!(place.sopwith(&["run", "fixture"]).code, Some(3));
}

#[test]
fn a_plugin_that_panics_is_to_blame_and_the_record_says_with_what_words() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"panic\"\n");
    place.sopwith(&["run", "fixture"]);
    let shown = place.good(&["show", "fixture"]);
    assert!(shown.contains("blame: plugin"), "{shown}");
    assert!(shown.contains("panicked"), "{shown}");
}

#[test]
fn a_run_that_was_cut_off_by_an_error_is_not_repeated_from_its_first_step() {
    let place = Place::new();
    exerciser(
        &place,
        "fixture",
        "action = \"steps\"\n[retry]\nmax = 2\nbackoff = \"10ms\"\n",
    );
    place.good(&[
        "run",
        "fixture",
        "--set",
        "fail_at=2",
        "--set",
        "fail_until_attempt=2",
    ]);
    let shown = place.good(&["show", "fixture"]);
    assert!(
        shown.contains("had been finished by an earlier attempt"),
        "{shown}"
    );
}

#[test]
fn the_record_can_be_read_while_the_files_are_broken() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    place.good(&["run", "fixture"]);
    place.write("config/procedures/fixture.toml", "plugin = 7\n");
    assert!(place.good(&["runs"]).contains("fixture"));
    assert!(place.good(&["show", "fixture"]).contains("succeeded"));
    assert!(place.good(&["audit", "verify"]).contains("holds"));
}
