//! What people ask of the record and of schedules: which times, which runs, and wrong names.

use crate::place::Place;
use crate::procedures::exerciser;

const SUNDAYS: &str =
    "[[schedule]]\naction = \"state\"\ncron = \"30 2 * * 0\"\ntime_zone = \"Europe/Berlin\"\n";

fn with_sundays() -> Place {
    let place = Place::new();
    exerciser(&place, "fixture", SUNDAYS);
    place
}

#[test]
fn coming_instants_of_any_time_are_shown_by_the_clocks_of_the_schedule() {
    let place = with_sundays();
    let shown = place.good(&[
        "schedule",
        "next",
        "fixture",
        "--from",
        "2027-03-21T02:30",
        "--until",
        "2027-04-04",
    ]);
    let lines: Vec<_> = shown.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(lines[0].starts_with("2027-03-21 02:30:00 CET"), "{shown}");
    assert!(lines[1].starts_with("2027-03-28 03:00:00 CEST"), "{shown}");
    assert!(lines[1].ends_with("the clocks change on this day"), "{shown}");
    assert!(lines[2].starts_with("2027-04-04 02:30:00 CEST"), "{shown}");
    let ticks = place.json(&[
        "schedule",
        "next",
        "--from",
        "2027-03-28T01:00:00Z",
        "--count",
        "1",
    ]);
    assert_eq!(ticks[0]["at"], "2027-03-28T01:00:00Z");
    let year = place.json(&["schedule", "next", "--until", "365d"]);
    assert!(
        (52..=53).contains(&year.as_array().expect("a list").len()),
        "{year}"
    );
}

#[test]
fn a_range_that_ends_before_it_begins_is_refused() {
    let place = with_sundays();
    let range = [
        "schedule",
        "next",
        "--from",
        "2027-03-21",
        "--until",
        "2027-03-20",
    ];
    let ended = place.sopwith(&range);
    assert_ne!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("the end is not after the beginning"),
        "{ended:?}"
    );
}

#[test]
fn runs_are_found_by_action_and_by_time() {
    let place = with_sundays();
    place.good(&["run", "fixture", "state"]);
    place.good(&["run", "fixture", "state"]);
    let count = |arguments: &[&str]| {
        let runs = place.json(&[&["runs", "fixture"], arguments].concat());
        runs.as_array().expect("a list").len()
    };
    assert_eq!(count(&["--since", "24h"]), 2);
    assert_eq!(
        count(&["--since", "24h", "--action", "state", "--state", "succeeded"]),
        2
    );
    assert_eq!(count(&["--action", "crash"]), 0);
    assert_eq!(count(&["--until", "24h"]), 0);
    assert_eq!(count(&["--since", "2020-01-01", "--limit", "1"]), 1);
    assert_eq!(count(&["--until", "2020-01-01"]), 0);
    let ended = place.sopwith(&["runs", "--since", "yesterday"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("such as `24h` or `7d`"), "{ended:?}");
}

#[test]
fn columns_of_times_say_their_zone() {
    let place = with_sundays();
    place.good(&["run", "fixture", "state"]);
    for (zone, heading) in [("Asia/Tokyo", "STARTED (Asia/Tokyo)"), ("UTC", "STARTED (UTC)")] {
        let shown = place
            .command(&["runs"])
            .env("TZ", zone)
            .output()
            .expect("it runs");
        let shown = String::from_utf8(shown.stdout).expect("text");
        assert!(shown.contains(heading), "{shown}");
    }
}

#[test]
fn a_name_that_nothing_has_is_told_with_the_nearest() {
    let place = with_sundays();
    for question in ["runs", "why", "findings", "grants"] {
        let ended = place.sopwith(&[question, "fixtrue"]);
        assert_ne!(ended.code, Some(0), "{question}: {ended:?}");
        assert!(
            ended.stderr.contains("there is no procedure `fixtrue`"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("did you mean `fixture`?"), "{ended:?}");
    }
    // What has no run yet is no wrong name.
    assert_eq!(place.sopwith(&["runs", "fixture"]).code, Some(0));
}

#[test]
fn a_reload_is_told_before_it_happens() {
    let place = with_sundays();
    let first = place.good(&["check", "--diff"]);
    assert!(first.contains("nothing has been in force"), "{first}");
    assert!(first.contains("procedure fixture is new"), "{first}");
    place.good(&["run", "fixture", "state"]);
    let same = place.good(&["check", "--diff"]);
    assert!(same.contains("a reload would change nothing"), "{same}");
    let edited = SUNDAYS.replace("30 2", "45 3");
    exerciser(
        &place,
        "fixture",
        &format!("{edited}[limits]\ntimeout = \"5m\"\n"),
    );
    exerciser(&place, "another", "");
    place.add_to_host("[limits]\nrows = 10\n");
    let told = place.good(&["check", "--diff"]);
    for line in [
        "sopwith.toml",
        "  limits.rows  – → 10",
        "procedure another is new",
        "procedure fixture would change",
        "  limits.timeout  – → \"5m\"",
        "  schedule.state.cron  \"30 2 * * 0\" → \"45 3 * * 0\"",
        "  schedule state starts anew: ",
        "    → ",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let json = place.json(&["check", "--diff"]);
    let schedule = &json["difference"]["procedures"][1]["schedules"][0];
    assert_eq!(schedule["fate"], "changed", "{json:#}");
    for (side, time) in [("before", " 02:30:00 "), ("after", " 03:45:00 ")] {
        let ticks = schedule[side].as_array().expect("ticks");
        // In the last night of March there is no half past two.
        let fits = |local: &str| local.contains(time) || local.contains("-03-2") || local.contains("-03-3");
        assert!(
            ticks.len() == 3
                && ticks
                    .iter()
                    .all(|tick| fits(tick["local"].as_str().expect("a time")))
        );
    }
    place.write("config/procedures/another.toml", "nonsense");
    let broken = place.sopwith(&["check", "--diff"]);
    assert_eq!(broken.code, Some(3), "{broken:?}");
    assert!(broken.stdout.contains("a reload would be refused"), "{broken:?}");
    std::fs::remove_file(place.path("config/procedures/another.toml")).expect("it is there");
    std::fs::remove_file(place.path("config/procedures/fixture.toml")).expect("it is there");
    let gone = place.good(&["check", "--diff"]);
    assert!(gone.contains("procedure fixture would be gone"), "{gone}");
    assert!(gone.contains("plugin exerciser"), "{gone}");
}
