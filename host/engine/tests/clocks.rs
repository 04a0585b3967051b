//! Clocks that jump, long downtimes, and many procedures that tick together.

use crate::support::{Host, Seeded, World, every_minute, procedure, told};
use jiff::{SignedDuration, Timestamp};
use sopwith_core::port::{Clock as _, Store as _, TickOutcome};
use sopwith_core::schedule::{Every, When};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

fn is_soak() -> bool {
    std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak")
}

/// How long this takes by the real clock.
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is the host, not what it does"
)]
fn took<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

/// Every minute from `since` up to the cursor is covered by exactly one row.
fn is_covered_once(host: &Host, since: Timestamp, told_of: &str) {
    let mut covered = BTreeSet::new();
    for outcome in host.ticks("clinic") {
        let (first, last) = match &outcome {
            TickOutcome::Run(run) => {
                let at = run.queued.trigger.nominal_at().unwrap();
                (at, at)
            }
            TickOutcome::Range(range) => (range.first, range.last),
        };
        let mut at = first;
        while at <= last {
            assert!(covered.insert(at), "{told_of}: {at} is covered twice");
            at += SignedDuration::from_mins(1);
        }
    }
    let row = host.ask(host.record().schedules()).remove(0);
    let minutes = since.duration_until(row.cursor).as_secs() / 60;
    assert_eq!(i64::try_from(covered.len()).unwrap(), minutes, "{told_of}");
}

/// A clock that is turned by so many minutes after so many seconds, and goes on for two hours.
fn turn(minutes: i64, after_secs: u64, jitter: i64) {
    let told_of = format!("turned by {minutes} min after {after_secs} s, jitter {jitter} s");
    let jittered = every_minute("clinic", "check", |schedule| {
        schedule.jitter = SignedDuration::from_secs(jitter);
    });
    let world = World::new([jittered]);
    let since = world.clock.now();
    let host = world.start();
    host.advance_secs(after_secs);
    world.clock.turn(SignedDuration::from_mins(minutes));
    host.advance(Duration::from_hours(2));
    is_covered_once(&host, since, &told_of);
    let runs = host.runs();
    let instants: BTreeSet<_> = runs.iter().map(|run| run.queued.trigger.nominal_at()).collect();
    assert_eq!(instants.len(), runs.len(), "{told_of}");
    assert!(runs.len() > 55, "{told_of}: {} runs", runs.len());
}

#[test]
fn no_jump_of_the_clock_loses_or_doubles_a_tick() {
    for minutes in [-60, -10, 10, 60] {
        for (after_secs, jitter) in [(150, 0), (180, 0), (179, 0), (4_000, 0), (150, 40)] {
            turn(minutes, after_secs, jitter);
        }
    }
}

#[test]
fn clocks_that_jump_again_and_again_lose_and_double_no_tick() {
    let seeds = if is_soak() { 20 } else { 2 };
    for seed in 0..seeds {
        let chance = Seeded::new(seed);
        let world = World::seeded(seed, [every_minute("clinic", "check", |_| {})]);
        let since = world.clock.now();
        let mut host = world.start();
        for _ in 0..12 {
            host.advance_secs(chance.below(1_000));
            let minutes = *chance.one_of(&[-60, -10, 10, 60]);
            world.clock.turn(SignedDuration::from_mins(minutes));
            if chance.below(4) == 0 {
                host.kill();
                host = world.start();
            }
        }
        // Longer than all jumps back together.
        host.advance(Duration::from_hours(13));
        is_covered_once(&host, since, &format!("seed {seed}"));
    }
}

#[test]
fn thirty_days_of_downtime_are_over_within_two_seconds() {
    let world = World::new((0..20).map(|number| every_minute(&format!("clinic-{number}"), "check", |_| {})));
    world.start().kill();
    world.clock.go_to(Duration::from_hours(30 * 24));
    let (host, took) = took(|| world.start());
    for number in 0..20 {
        let ticks = host.ticks(&format!("clinic-{number}"));
        assert_eq!(told(&ticks), ["1..43199 missed(downtime)", "43200 succeeded"]);
    }
    assert!(took < Duration::from_secs(2), "it took {took:?}");
}

/// So many procedures, each every five minutes, for so many hours; says how long that took.
fn many(procedures: usize, hours: u64) {
    let all = (0..procedures).map(|number| {
        let mut one = procedure(&format!("clinic-{number}"), "check");
        let tick = every_minute("any", "check", |schedule| {
            schedule.when = When::Every(Every::new(SignedDuration::from_mins(5)).unwrap());
        });
        one.schedules = tick.schedules;
        one
    });
    let mut world = World::new([]);
    world.edit(all, 64, None);
    let ((), took) = took(|| {
        let host = world.start();
        host.advance(Duration::from_hours(hours));
        host.settle();
    });
    let runs = world.stage.seen().len();
    eprintln!("{runs} runs of {procedures} procedures took {took:?}");
    assert_eq!(runs, procedures * usize::try_from(hours * 12).unwrap());
}

#[test]
fn many_procedures_tick_together() {
    if is_soak() {
        many(1_000, 6);
    } else {
        many(200, 1);
    }
}
