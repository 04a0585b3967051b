//! Pauses and events on the command line, with and without a service.

use crate::place::{Place, until};
use crate::procedures::exerciser;
use std::fs;

const SCHEDULES: &str = r#"
[[schedule]]
name = "often"
action = "steps"
every = "1s"

[[schedule]]
name = "told"
action = "steps"
event = "deployed"
overlap = "queue_one"
"#;

fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("app/app.db"), "").expect("an empty database");
    exerciser(&place, "fixture", SCHEDULES);
    place
}

/// What is refused while it is paused, and what is told of it.
fn is_held_off(place: &Place) {
    let paused = place.good(&["pause", "fixture", "--reason", "the disk is full"]);
    assert!(paused.contains("paused `fixture`"), "{paused}");
    let refused = place.sopwith(&["run", "fixture", "steps"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert!(refused.stderr.contains("the disk is full"), "{refused:?}");
    assert!(refused.stderr.contains("sopwith resume fixture"), "{refused:?}");
    place.good(&["run", "fixture", "steps", "--even-paused"]);
    let retried = place.sopwith(&["retry", "fixture"]);
    assert_eq!(retried.code, Some(7), "{retried:?}");
    let told = place.sopwith(&["trigger", "deployed"]);
    assert_eq!(told.code, Some(7), "{told:?}");
    assert!(told.stdout.contains("skipped(paused)"), "{told:?}");
    let status = place.good(&["status"]);
    assert!(status.contains("`fixture` is paused since"), "{status}");
    let why = place.good(&["why", "fixture"]);
    assert!(why.contains("skipped(paused): it was paused"), "{why}");
    let again = place.sopwith(&["pause", "fixture"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    place.good(&["resume", "fixture"]);
    assert_eq!(place.sopwith(&["resume", "fixture"]).code, Some(1));
}

#[test]
fn what_is_paused_is_held_off_with_and_without_a_service() {
    let place = place();
    is_held_off(&place);
    let service = place.serve();
    is_held_off(&place);
    place.good(&["pause", "--all"]);
    let frozen = place.sopwith(&["run", "fixture", "steps", "--even-paused"]);
    assert_eq!(frozen.code, Some(7), "{frozen:?}");
    place.good(&["resume", "--all"]);
    until("a tick that ran", || {
        let runs = place.json(&["runs", "fixture"]);
        let runs = runs.as_array()?.iter();
        let mut ticks = runs.filter(|run| run["trigger"]["kind"] == "schedule");
        ticks.any(|run| run["state"] == "succeeded").then_some(())
    });
    assert_eq!(service.stop(), Some(0));
    assert!(place.good(&["audit", "verify"]).contains("holds"));
}

#[test]
fn a_procedure_that_nobody_wrote_is_neither_paused_nor_resumed() {
    let place = place();
    for command in ["pause", "resume"] {
        let refused = place.sopwith(&[command, "fixtrue"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains("there is no procedure `fixtrue`"),
            "{refused:?}"
        );
        assert!(refused.stderr.contains("did you mean `fixture`?"), "{refused:?}");
        let nothing = place.sopwith(&[command]);
        assert!(nothing.stderr.contains("--all"), "{nothing:?}");
    }
    // What is paused and gone meanwhile is resumed all the same.
    place.good(&["pause", "fixture"]);
    fs::remove_file(place.path("config/procedures/fixture.toml")).expect("the file");
    place.good(&["resume", "fixture"]);
}

#[test]
fn an_event_starts_what_names_it_and_an_unknown_one_tells_the_nearest() {
    let place = place();
    let unknown = place.sopwith(&["trigger", "deployd"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean `deployed`?"), "{unknown:?}");
    let alone = place.good(&["trigger", "deployed"]);
    assert!(alone.contains("succeeded"), "{alone}");
    let service = place.serve();
    let told = place.json(&["trigger", "deployed"]);
    assert_eq!(told[0]["run"]["trigger"]["kind"], "event", "{told}");
    assert_eq!(told[0]["run"]["actor"]["kind"], "user", "{told}");
    assert_eq!(service.stop(), Some(0));
}
