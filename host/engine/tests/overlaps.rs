//! What becomes of ticks and requests while earlier runs have not ended.

use crate::support::{Act, Host, Seeded, World, every_minute, told};
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Run, RunState};
use sopwith_core::schedule::Overlap;
use std::time::Duration;

const CASES: u64 = 500;
const CASES_IN_SOAK: u64 = 10_000;

fn under(overlap: Overlap) -> Procedure {
    every_minute("clinic", "check", |schedule| schedule.overlap = overlap)
}

/// A first run of so many seconds, and what the ticks of these seconds came to.
fn check(overlap: Overlap, first_takes: u64, seconds: u64, expected: &[&str]) -> Host {
    let mut procedure = under(overlap);
    // No attempt ends at the very instant of a tick.
    procedure.limits.timeout = Duration::from_secs(130);
    let world = World::new([procedure]);
    world
        .stage
        .then("check", Act::Work(Duration::from_secs(first_takes)));
    let host = world.start();
    host.advance_secs(seconds);
    assert_eq!(told(&host.ticks("clinic")), expected);
    assert_eq!(world.stage.violations(), [] as [String; 0]);
    host
}

#[test]
fn forbid_skips_what_meets_a_run() {
    check(
        Overlap::Forbid,
        119,
        185,
        &["1 succeeded", "2..2 skipped(overlap)", "3 succeeded"],
    );
}

#[test]
fn queue_one_lets_one_tick_wait_and_skips_the_rest() {
    let host = check(
        Overlap::QueueOne,
        119,
        185,
        &["1 succeeded", "2 succeeded", "3 succeeded"],
    );
    let runs = host.runs();
    assert_eq!(runs[1].started_at, runs[0].ended_at);
    let blocked = ["1 timed_out", "2 succeeded", "3..3 skipped(overlap)"];
    // The third one comes while the second one still waits.
    check(Overlap::QueueOne, 1_000, 195, &blocked);
}

#[test]
fn replace_ends_the_run_before() {
    let host = check(Overlap::Replace, 1_000, 70 + 60, &["1 cancelled", "2 succeeded"]);
    let runs = host.runs();
    assert_eq!(runs[0].replaced_by, Some(runs[1].id()));
    let failure = runs[0].failure.as_ref().unwrap();
    assert_eq!(
        failure.message,
        format!("a newer run took its place: {}", runs[1].id())
    );
    assert!(runs[0].ended_at <= runs[1].started_at);
}

#[test]
fn allow_lets_so_many_run_at_once() {
    let world = World::new([under(Overlap::Allow { max: 2 })]);
    for _ in 0..2 {
        world.stage.then("check", Act::Work(Duration::from_secs(115)));
    }
    let host = world.start();
    host.advance_secs(239);
    assert_eq!(
        told(&host.ticks("clinic")),
        ["1 succeeded", "2 succeeded", "3 succeeded"]
    );
    let runs = host.runs();
    assert!(runs[1].started_at < runs[0].ended_at);
}

#[test]
fn what_somebody_asks_for_waits_for_its_turn_and_holds_ticks_off() {
    let world = World::new([under(Overlap::Forbid)]);
    world.stage.then("check", Act::Work(Duration::from_secs(50)));
    world.stage.then("check", Act::Work(Duration::from_secs(50)));
    let host = world.start();
    host.submit("clinic");
    host.submit("clinic");
    host.advance_secs(125);
    assert_eq!(
        told(&host.ticks("clinic")),
        ["1..1 skipped(overlap)", "2 succeeded"]
    );
    let runs = host.runs();
    assert_eq!(runs[1].started_at, runs[0].ended_at);
}

/// Whether the two were under way at once.
fn meet(one: &Run, other: &Run) -> bool {
    let (Some(from), Some(until)) = (one.started_at, one.ended_at) else {
        return false;
    };
    let (Some(other_from), Some(other_until)) = (other.started_at, other.ended_at) else {
        return false;
    };
    from < other_until && other_from < until
}

/// Ticks, requests, reloads, slow ends, deaths and lost answers in any order.
fn interleave(seed: u64) {
    let chance = Seeded::new(seed);
    let mut world = World::seeded(seed, [under(Overlap::Forbid)]);
    let mut host = world.start();
    for round in 0..12 {
        for _ in 0..chance.below(3) {
            let takes = Duration::from_secs(chance.below(150));
            let act = *chance.one_of(&[0, 0, 1, 2]);
            world.stage.then(
                "check",
                match act {
                    0 => Act::Work(takes),
                    1 => Act::Fail { retryable: true },
                    _ => Act::Block,
                },
            );
        }
        match chance.below(8) {
            0 | 1 => drop(host.submit("clinic")),
            2 => {
                let mut procedure = under(Overlap::Forbid);
                procedure.summary = round.to_string();
                let places = 1 + u32::try_from(chance.below(4)).unwrap();
                world.edit([procedure], places, Some(&host));
            }
            3 => {
                host.kill();
                host = world.start();
            }
            4 => host.faults().next("claim", crate::support::Fault::AnswerLost),
            5 => {
                let unfinished = host.runs().into_iter().find(|run| !run.state.is_final());
                if let Some(run) = unfinished {
                    // Somebody may have asked for its end before.
                    let _ = host.cancel(run.id());
                }
            }
            _ => {}
        }
        host.advance_secs(chance.below(90));
    }
    host.faults().clear();
    // A claim whose answer was lost a moment ago is made again.
    host.advance_secs(2);
    host.stop_scheduling();
    host.advance(Duration::from_hours(1));
    let runs = host.runs();
    for (position, run) in runs.iter().enumerate() {
        assert!(run.state.is_final(), "seed {seed}: {} is {}", run.id(), run.state);
        for other in &runs[position + 1..] {
            assert!(
                !meet(run, other),
                "seed {seed}: {} meets {}",
                run.id(),
                other.id()
            );
        }
    }
    let missed = runs.iter().filter(|run| run.state == RunState::Missed);
    assert_eq!(missed.count(), 0, "seed {seed}");
}

#[test]
fn forbid_never_has_two_whatever_happens() {
    let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
    let seed = std::env::var("SOPWITH_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let cases = if is_soak { CASES_IN_SOAK } else { CASES };
    match seed {
        Some(seed) => interleave(seed),
        None => (0..cases).for_each(interleave),
    }
}
