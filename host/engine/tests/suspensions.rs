//! Runs that wait for an instant with nothing in memory.

use crate::support::{Act, Fault, Host, World, procedure, retried, using_app};
use jiff::SignedDuration;
use sopwith_core::grant::Access;
use sopwith_core::port::Clock as _;
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{RunId, RunState};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

fn procedures() -> [Procedure; 2] {
    [
        using_app(procedure("clinic", "restore"), &Access::Replace),
        using_app(procedure("other", "backup"), &Access::Replace),
    ]
}

/// A world in which the first two calls of `restore` are of one run: it takes a step, waits for an hour and does
/// something else.
fn world(then: &Act) -> World {
    let world = World::new(procedures());
    let waits = Act::Steps(&["stop"], Box::new(Act::SuspendFor(HOUR, Box::new(then.clone()))));
    world.stage.then("restore", waits.clone());
    world.stage.then("restore", waits);
    world
}

fn suspended(host: &Host) -> RunId {
    let id = host.submit("clinic").id();
    assert_eq!(host.run(id).state, RunState::Suspended);
    id
}

#[test]
fn a_suspended_run_goes_on_at_its_instant_in_the_same_attempt_and_repeats_no_step() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    host.advance(Duration::from_mins(59));
    assert_eq!(host.run(id).state, RunState::Suspended);
    host.advance_secs(60);
    let run = host.run(id);
    assert_eq!((run.state, run.attempt, run.resumed), (RunState::Succeeded, 1, 0));
    assert_eq!(world.stage.effects(), ["stop"]);
}

#[test]
fn it_holds_neither_a_lock_nor_a_task_meanwhile() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let tasks = host.tasks();
    suspended(&host);
    assert_eq!(host.tasks(), tasks);
    let other = host.submit("other").id();
    assert_eq!(host.run(other).state, RunState::Succeeded);
}

#[test]
fn it_survives_its_host() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    host.kill();
    let host = world.start();
    assert_eq!(host.run(id).state, RunState::Suspended);
    host.kill();
    world.clock.go_to(world.clock.monotonic() + HOUR);
    let host = world.start();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn the_wall_clock_decides() {
    for (turn, state) in [(1, RunState::Succeeded), (-1, RunState::Suspended)] {
        let world = world(&Act::Succeed);
        let host = world.start();
        let id = suspended(&host);
        world.clock.turn(SignedDuration::from_hours(turn));
        host.advance_secs(if turn > 0 { 1 } else { 3_600 });
        assert_eq!(host.run(id).state, state);
    }
}

#[test]
fn time_before_the_wait_counts_and_the_wait_does_not() {
    let work = |seconds| Act::Work(Duration::from_secs(seconds));
    let waits = |then| Act::SuspendFor(HOUR, Box::new(then));
    for (before, after, state) in [(70, 40, RunState::Succeeded), (70, 60, RunState::TimedOut)] {
        let world = World::new([procedure("clinic", "check")]);
        let both = Act::WorkThen(Duration::from_secs(before), Box::new(waits(work(after))));
        world.stage.then("check", both);
        world.stage.then("check", waits(work(after)));
        let host = world.start();
        let id = host.submit("clinic").id();
        host.advance(2 * HOUR);
        assert_eq!(host.run(id).state, state, "{before} s and {after} s of 120 s");
    }
}

#[test]
fn it_can_be_cancelled_at_once() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    assert_eq!(host.cancel(id).unwrap().state, RunState::Cancelled);
    host.advance(2 * HOUR);
    assert_eq!(host.run(id).state, RunState::Cancelled);
}

#[test]
fn a_later_attempt_waits_for_the_first_instant() {
    let world = World::new([retried(procedure("clinic", "check"), 1)]);
    let waits = |then| Act::SuspendFor(HOUR, Box::new(then));
    let fail = Act::Fail { retryable: true };
    for act in [waits(Act::Succeed), waits(fail), waits(Act::Succeed)] {
        world.stage.then("check", act);
    }
    let host = world.start();
    let id = host.submit("clinic").id();
    host.advance(HOUR + Duration::from_secs(20));
    let run = host.run(id);
    assert_eq!(
        (run.state, run.attempt, run.suspensions),
        (RunState::Succeeded, 2, 1)
    );
}

#[test]
fn another_run_of_its_action_waits_for_its_end() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    let other = host.submit("clinic").id();
    assert_eq!(host.run(other).state, RunState::Queued);
    host.kill();
    let host = world.start();
    assert_eq!(host.run(other).state, RunState::Queued);
    host.advance(HOUR);
    assert_eq!(host.run(id).state, RunState::Succeeded);
    assert_eq!(host.run(other).state, RunState::Succeeded);
}

#[test]
fn an_end_whose_answer_is_lost_holds_nobody_up() {
    let world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    host.faults().next("cancelled", Fault::AnswerLost);
    host.cancel(id).unwrap();
    host.advance_secs(2);
    assert_eq!(host.run(id).state, RunState::Cancelled);
    assert!(world.stage.leftovers().is_empty());
    world.stage.forget_script();
    let next = host.submit("clinic").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
}

#[test]
fn whoever_read_it_before_its_end_does_not_hold_others_up() {
    let mut world = world(&Act::Succeed);
    let host = world.start();
    let id = suspended(&host);
    // A reload reads what waits, and goes on with that after somebody ended it.
    let held = host.faults().hold("unfinished");
    world.edit(procedures(), 3, Some(&host));
    host.cancel(id).unwrap();
    held.release();
    host.settle();
    world.stage.forget_script();
    let next = host.submit("clinic").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
}
