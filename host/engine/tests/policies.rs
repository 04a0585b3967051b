//! Jitter, deadlines and catching up.

use crate::support::{Act, World, every_minute, told};
use jiff::SignedDuration;
use sopwith_core::port::Clock as _;
use sopwith_core::run::RunState;
use sopwith_core::schedule::{CatchUp, Schedule};
use std::time::Duration;

fn world(change: impl FnOnce(&mut Schedule)) -> World {
    World::new([every_minute("clinic", "check", change)])
}

#[test]
fn a_tick_starts_by_its_jitter_later_and_keeps_its_instant() {
    let world = world(|schedule| schedule.jitter = SignedDuration::from_secs(50));
    let host = world.start();
    host.advance_secs(10 * 60 + 50);
    let runs = host.runs();
    assert_eq!(runs.len(), 10);
    let delays: Vec<_> = runs
        .iter()
        .map(|run| {
            run.queued
                .trigger
                .nominal_at()
                .unwrap()
                .duration_until(run.queued.queued_at)
        })
        .collect();
    let most = SignedDuration::from_secs(51);
    assert!(
        delays.iter().all(|delay| !delay.is_negative() && *delay < most),
        "{delays:?}"
    );
    assert!(
        delays.iter().any(|delay| *delay > SignedDuration::from_secs(5)),
        "{delays:?}"
    );
}

#[test]
fn all_that_passed_in_a_downtime_runs_in_order_one_after_another() {
    let world = world(|schedule| {
        schedule.catch_up = CatchUp::All {
            max: 3,
            window: SignedDuration::from_hours(1),
        };
    });
    world.start().kill();
    world.clock.go_to(Duration::from_mins(30));
    for _ in 0..3 {
        world.stage.then("check", Act::Work(Duration::from_secs(10)));
    }
    let host = world.start();
    host.advance_secs(59);
    assert_eq!(
        told(&host.ticks("clinic")),
        [
            "1..27 missed(downtime)",
            "28 succeeded",
            "29 succeeded",
            "30 succeeded"
        ]
    );
    let mut runs = host.runs();
    runs.sort_by_key(|run| run.started_at);
    for pair in runs.windows(2) {
        assert!(pair[0].queued.trigger.nominal_at() < pair[1].queued.trigger.nominal_at());
        assert!(pair[0].ended_at <= pair[1].started_at);
    }
}

#[test]
fn a_run_that_gets_no_place_in_time_is_missed() {
    let mut world = World::new([
        every_minute("clinic", "check", |schedule| {
            schedule.deadline = Some(SignedDuration::from_secs(30));
        }),
        crate::support::procedure("other", "backup"),
    ]);
    world.stage.then("backup", Act::Work(Duration::from_secs(110)));
    let host = world.start();
    world.edit(
        [
            every_minute("clinic", "check", |schedule| {
                schedule.deadline = Some(SignedDuration::from_secs(30));
            }),
            crate::support::procedure("other", "backup"),
        ],
        1,
        Some(&host),
    );
    host.submit("other");
    host.advance_secs(95);
    assert_eq!(told(&host.ticks("clinic")), ["1 missed"]);
    let run = &host.runs()[1];
    assert_eq!(run.state, RunState::Missed);
    let late = run
        .queued
        .trigger
        .nominal_at()
        .unwrap()
        .duration_until(run.ended_at.unwrap());
    assert!(late <= SignedDuration::from_secs(32), "{late}");
    host.advance_secs(30);
    assert_eq!(told(&host.ticks("clinic")), ["1 missed", "2 succeeded"]);
}

#[test]
fn a_deadline_holds_after_a_downtime_too() {
    let world = world(|schedule| schedule.deadline = Some(SignedDuration::from_secs(30)));
    world.start().kill();
    world.clock.go_to(Duration::from_secs(30 * 60 + 45));
    let host = world.start();
    assert_eq!(
        told(&host.ticks("clinic")),
        ["1..29 missed(downtime)", "30..30 missed(deadline)"]
    );
    assert!(host.runs().is_empty());
    host.advance_secs(15);
    assert_eq!(world.clock.now().as_second() % 60, 0);
    assert_eq!(host.runs().len(), 1);
}
