//! Tests of the rule: what runs, what is left, and why.

use super::*;
use sopwith_core::schedule::{Calendar, Cron, CronFields, Overlap, Span, When};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn every_minute(catch_up: CatchUp) -> Schedule {
    Schedule {
        name: "tick".parse().unwrap(),
        action: "tick".parse().unwrap(),
        inputs: serde_json::Value::Null,
        when: When::Cron(Box::new(
            Cron::parse("* * * * *", CronFields::Five, "UTC").unwrap(),
        )),
        catch_up,
        overlap: Overlap::Forbid,
        jitter: SignedDuration::ZERO,
        deadline: None,
        calendar: None,
    }
}

fn due(schedule: &Schedule, cursor: i64, now: Timestamp, present_since: i64) -> Option<Due> {
    let deciding = Deciding {
        procedure: &"clinic".parse().unwrap(),
        schedule,
        now,
        present_since: at(present_since),
        paused_since: None,
    };
    deciding.due(at(cursor))
}

/// The minutes that run, and those of each range with its reason.
fn told(due: Option<Due>) -> (Vec<i64>, Vec<String>) {
    let minute = |at: Timestamp| at.as_second() / 60;
    let Some(due) = due else {
        return (Vec::new(), Vec::new());
    };
    let ranges = due.ranges.iter().map(|range| {
        let (first, last) = (minute(range.first), minute(range.last));
        assert_eq!(i64::try_from(range.count).unwrap(), last - first + 1);
        format!("{first}..{last} {}", range.reason.as_str())
    });
    let runs = due.runs.iter().map(|tick| minute(tick.nominal_at));
    (runs.collect(), ranges.collect())
}

fn check(catch_up: CatchUp, (cursor, now, present_since): (i64, i64, i64), runs: &[i64], ranges: &[&str]) {
    let due = due(&every_minute(catch_up), cursor, at(now), present_since);
    let (ran, left) = told(due);
    assert_eq!(ran, runs);
    assert_eq!(left, ranges);
}

#[test]
fn nothing_is_due_before_the_next_tick() {
    check(CatchUp::Latest, (5, 5, 0), &[], &[]);
}

#[test]
fn a_tick_in_time_runs_whatever_the_catch_up() {
    let none_of_it = CatchUp::All {
        max: 1,
        window: SignedDuration::ZERO,
    };
    for catch_up in [CatchUp::None, CatchUp::Latest, none_of_it] {
        check(catch_up, (5, 6, 0), &[6], &[]);
    }
}

#[test]
fn thirty_days_of_downtime_come_to_one_run_and_one_range() {
    let month = (0, 43_200, 43_200);
    check(CatchUp::Latest, month, &[43_200], &["1..43199 missed(downtime)"]);
    check(
        CatchUp::None,
        (0, 43_200, 43_201),
        &[],
        &["1..43200 missed(downtime)"],
    );
}

#[test]
fn all_is_what_lies_in_the_window_and_at_most_so_many() {
    let all = |max, minutes| CatchUp::All {
        max,
        window: SignedDuration::from_mins(minutes),
    };
    check(
        all(10, 3),
        (0, 100, 101),
        &[97, 98, 99, 100],
        &["1..96 missed(downtime)"],
    );
    check(all(2, 60), (0, 100, 101), &[99, 100], &["1..98 missed(downtime)"]);
    check(all(10, 60), (98, 100, 101), &[99, 100], &[]);
}

#[test]
fn a_tick_whose_deadline_has_passed_is_missed_in_catch_up_too() {
    let schedule = Schedule {
        deadline: Some(SignedDuration::from_mins(5)),
        when: When::Cron(Box::new(
            Cron::parse("*/10 * * * *", CronFields::Five, "UTC").unwrap(),
        )),
        ..every_minute(CatchUp::All {
            max: 3,
            window: SignedDuration::from_hours(1),
        })
    };
    let late = due(&schedule, 0, at(36), 36).unwrap();
    assert_eq!(late.runs, []);
    assert_eq!(
        (late.ranges[0].count, late.ranges[0].reason),
        (3, NoRun::Deadline)
    );
    let in_time = due(&schedule, 0, at(35), 35).unwrap();
    assert_eq!(
        in_time.runs,
        [Tick {
            nominal_at: at(30),
            start_by: Some(at(35))
        }]
    );
    assert_eq!(
        (in_time.ranges[0].last, in_time.ranges[0].reason),
        (at(20), NoRun::Deadline)
    );
}

#[test]
fn a_tick_waits_for_its_jitter_and_keeps_its_instant() {
    let schedule = Schedule {
        jitter: SignedDuration::from_hours(1),
        ..every_minute(CatchUp::None)
    };
    for minute in 1..50 {
        let start = schedule.start_of(&"clinic".parse().unwrap(), at(minute));
        assert!(at(minute) <= start && start < at(minute + 1));
        let none = due(&schedule, minute - 1, start - SignedDuration::from_millis(1), 0);
        assert_eq!(none, None);
        // It is in time even where the host came up after its instant.
        let deciding = Deciding {
            procedure: &"clinic".parse().unwrap(),
            schedule: &schedule,
            now: start,
            present_since: start,
            paused_since: None,
        };
        assert_eq!(told(deciding.due(at(minute - 1))), (vec![minute], Vec::new()));
        let both = due(&schedule, minute - 1, at(minute + 1), 0);
        let next = schedule.start_of(&"clinic".parse().unwrap(), at(minute + 1));
        if next > at(minute + 1) {
            assert_eq!(told(both).0, [minute]);
        }
    }
}

/// A window of the first three minutes of each hour of the night.
fn in_windows(outside: Outside, catch_up: CatchUp) -> Schedule {
    let hours = (0..6).map(|hour| {
        let (from, to) = (format!("0{hour}:00"), format!("0{hour}:03"));
        Span::parse(None, Some(&from), Some(&to)).unwrap()
    });
    let windows = hours.collect();
    let zone = jiff::tz::TimeZone::UTC;
    Schedule {
        calendar: Some(Calendar::new(zone, windows, Vec::new(), [].into(), outside)),
        ..every_minute(catch_up)
    }
}

fn check_windows(
    schedule: &Schedule,
    (cursor, now, present_since): (i64, i64, i64),
    runs: &[i64],
    ranges: &[&str],
) {
    let (ran, left) = told(due(schedule, cursor, at(now), present_since));
    assert_eq!(ran, runs);
    assert_eq!(left, ranges);
}

#[test]
fn what_lies_outside_is_skipped_and_what_lies_within_is_caught_up() {
    let latest = in_windows(Outside::Skip, CatchUp::Latest);
    check_windows(&latest, (61, 62, 0), &[62], &[]);
    check_windows(&latest, (62, 63, 0), &[], &["63..63 skipped(outside_window)"]);
    let long = [
        "3..59 skipped(outside_window)",
        "60..61 missed(downtime)",
        "63..90 skipped(outside_window)",
    ];
    check_windows(&latest, (2, 90, 90), &[62], &long);
    let none = in_windows(Outside::Skip, CatchUp::None);
    let missed = [long[0], "60..62 missed(downtime)", long[2]];
    check_windows(&none, (2, 90, 90), &[], &missed);
    let all = CatchUp::All {
        max: 4,
        window: SignedDuration::from_hours(2),
    };
    let all = in_windows(Outside::Skip, all);
    check_windows(
        &all,
        (0, 90, 90),
        &[2, 60, 61, 62],
        &["1..1 missed(downtime)", long[0], long[2]],
    );
}

#[test]
fn what_is_deferred_starts_when_that_is_allowed_unless_a_newer_tick_is_due() {
    let latest = in_windows(Outside::Defer, CatchUp::Latest);
    check_windows(&latest, (2, 59, 0), &[], &[]);
    check_windows(&latest, (2, 60, 0), &[60], &["3..59 skipped(outside_window)"]);
    let at_half = Schedule {
        when: When::Cron(Box::new(
            Cron::parse("*/10 * * * *", CronFields::Five, "UTC").unwrap(),
        )),
        calendar: Some(Calendar::new(
            jiff::tz::TimeZone::UTC,
            vec![Span::parse(None, Some("01:05"), Some("01:09")).unwrap()],
            Vec::new(),
            [].into(),
            Outside::Defer,
        )),
        ..every_minute(CatchUp::None)
    };
    assert_eq!(due(&at_half, 0, at(64), 0), None);
    let opened = due(&at_half, 0, at(65), 0).unwrap();
    assert_eq!(opened.runs[0].nominal_at, at(60));
    assert_eq!(
        (opened.ranges[0].count, opened.ranges[0].reason),
        (5, NoRun::OutsideWindow)
    );
    assert_eq!(opened.newest, at(60));
}

#[test]
fn a_short_pause_takes_nothing_from_a_tick_that_waits_for_its_window() {
    let schedule = Schedule {
        calendar: Some(Calendar::new(
            jiff::tz::TimeZone::UTC,
            vec![Span::parse(None, Some("01:00"), Some("02:00")).unwrap()],
            Vec::new(),
            [].into(),
            Outside::Defer,
        )),
        ..every_minute(CatchUp::Latest)
    };
    let told_of = |now: i64, paused_since: Option<i64>| {
        let deciding = Deciding {
            procedure: &"clinic".parse().unwrap(),
            schedule: &schedule,
            now: at(now) + SignedDuration::from_secs(30),
            present_since: at(0),
            paused_since: paused_since.map(at),
        };
        deciding.due(at(9)).map(|due| told(Some(due)))
    };
    // It came at the tenth minute, and the pause after that.
    assert_eq!(told_of(10, Some(10)), None);
    assert_eq!(told_of(10, None), None);
    let passed = (Vec::new(), vec!["10..11 skipped(paused)".to_owned()]);
    assert_eq!(told_of(11, Some(10)), Some(passed));
}

#[test]
fn a_pause_is_one_range_after_what_nobody_was_there_for() {
    let told_of = |present_since, since| {
        let deciding = Deciding {
            procedure: &"clinic".parse().unwrap(),
            schedule: &every_minute(CatchUp::Latest),
            now: at(40),
            present_since: at(present_since),
            paused_since: Some(at(since)),
        };
        told(deciding.due(at(10))).1
    };
    let ranges = ["11..20 missed(downtime)", "21..40 skipped(paused)"];
    assert_eq!(told_of(40, 20), ranges);
    assert_eq!(told_of(21, 30), ranges);
    assert_eq!(told_of(40, 5), ["11..40 skipped(paused)"]);
    // A tick whose jitter was not over when it was paused.
    assert_eq!(told_of(0, 20), ["11..40 skipped(paused)"]);
}
