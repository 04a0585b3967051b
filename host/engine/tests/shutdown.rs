//! Hosts that are told to stop.

use crate::support::{Act, World, procedure};
use sopwith_core::port::Clock as _;
use sopwith_core::run::RunState;
use sopwith_engine::{NoEnd, Refused};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(30);

fn world(act: Act) -> World {
    let world = World::new([procedure("clinic", "backup")]);
    world.stage.then("backup", act);
    world
}

/// Stops a host with one run; how long that took, and what the next host makes of the run at once.
fn check(act: Act, expected: (u64, RunState, u32)) {
    let world = world(act);
    let host = world.start();
    let id = host.submit("clinic").id();
    let before = world.clock.monotonic();
    host.shut_down(GRACE);
    let took = world.clock.monotonic().saturating_sub(before);
    let host = world.start();
    let run = host.run(id);
    assert_eq!((took.as_secs(), run.state, run.resumed), expected);
    assert_eq!(run.attempt, 1);
}

#[test]
fn a_host_without_runs_stops_at_once() {
    let world = world(Act::Succeed);
    world.start().shut_down(GRACE);
    assert_eq!(world.clock.monotonic(), Duration::ZERO);
}

#[test]
fn runs_may_come_to_their_end() {
    check(Act::Work(Duration::from_secs(20)), (20, RunState::Succeeded, 0));
}

#[test]
fn what_takes_longer_is_cut_off_and_goes_on_with_the_next_host() {
    check(Act::Block, (30, RunState::Succeeded, 1));
}

#[test]
fn what_does_not_listen_does_not_hold_the_host_up() {
    check(Act::Hang, (40, RunState::Succeeded, 1));
}

#[test]
fn an_attempt_whose_end_cannot_be_recorded_does_not_hold_the_host_up() {
    let world = world(Act::Succeed);
    let host = world.start();
    let id = host.submit("clinic").id();
    world.stage.then("backup", Act::Work(Duration::from_secs(1)));
    host.submit("clinic");
    host.faults().break_all(true);
    host.shut_down(GRACE);
    assert_eq!(world.clock.monotonic(), Duration::from_secs(40));
    let host = world.start();
    assert_eq!(host.run(id).state, RunState::Succeeded);
    assert_eq!(host.recovered.resumed, 1);
}

#[test]
fn what_waits_is_left_to_the_next_host() {
    let mut world = world(Act::Work(Duration::from_secs(20)));
    world.edit([procedure("clinic", "backup")], 1, None);
    let host = world.start();
    host.submit("clinic");
    let waiting = host.submit("clinic").id();
    host.shut_down(GRACE);
    assert_eq!(world.stage.seen().len(), 1, "nothing starts any more");
    let host = world.start();
    let run = host.run(waiting);
    assert_eq!((run.state, run.resumed), (RunState::Succeeded, 0));
}

#[test]
fn who_waits_for_a_run_hears_that_the_host_stops() {
    let mut world = world(Act::Block);
    world.edit([procedure("clinic", "backup")], 1, None);
    let host = world.start();
    let wait = |id| {
        let engine = host.engine.clone();
        host.spawn(async move { engine.wait(id, false).await })
    };
    let under_way = wait(host.submit("clinic").id());
    let queued = wait(host.submit("clinic").id());
    let engine = host.engine.clone();
    let stopped = host.spawn(async move { engine.shut_down(GRACE).await });
    assert!(matches!(host.ended(queued), Err(NoEnd::Stopping(_))));
    assert!(!under_way.is_finished());
    assert!(matches!(host.try_to_submit("clinic"), Err(Refused::Stopping)));
    host.advance(GRACE);
    assert!(matches!(host.ended(under_way), Err(NoEnd::Stopping(_))));
    host.ended(stopped);
}
