//! Runs that somebody asks to end.

use crate::support::{Act, Fault, Host, World, procedure, retried};
use sopwith_core::run::{RunId, RunState};
use sopwith_engine::CancelRefused;

/// One place, two procedures.
fn world() -> World {
    let mut world = World::new([]);
    let procedures = ["clinic", "other"].map(|name| retried(procedure(name, "backup"), 3));
    world.edit(procedures, 1, None);
    world
}

/// Cancels a run and checks that it ends so, that whoever waits hears it, and that the place is free.
fn check(world: &World, host: &Host, id: RunId) {
    let engine = host.engine.clone();
    let waiting = host.spawn(async move { engine.wait(id, false).await });
    host.settle();
    let run = host.cancel(id).unwrap();
    assert!(run.cancelled_by.is_some());
    assert_eq!(host.ended(waiting).unwrap().state, RunState::Cancelled);
    let again = host.cancel(id);
    assert!(
        matches!(again, Err(CancelRefused::TooLate { asked: true, .. })),
        "{again:?}"
    );
    assert!(
        !world.stage.leftovers().contains(&id),
        "the run has not cleared up"
    );
    let next = host.submit("other").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
}

#[test]
fn a_run_that_is_under_way_is_told_to_end() {
    let world = world();
    world.stage.then("backup", Act::Block);
    let host = world.start();
    let id = host.submit("clinic").id();
    assert_eq!(host.run(id).state, RunState::Running);
    check(&world, &host, id);
}

#[test]
fn a_run_that_waits_for_its_place_ends_at_once() {
    let world = world();
    world.stage.then("backup", Act::Block);
    let host = world.start();
    let first = host.submit("clinic").id();
    let second = host.submit("clinic").id();
    let cancelled = host.cancel(second).unwrap();
    assert_eq!(cancelled.state, RunState::Cancelled);
    check(&world, &host, first);
    assert_eq!(world.stage.seen().len(), 2, "the second run got its place");
}

#[test]
fn a_run_that_waits_for_its_retry_ends_at_once_and_clears_up() {
    let world = world();
    world.stage.then("backup", Act::Fail { retryable: true });
    let host = world.start();
    let id = host.submit("clinic").id();
    assert_eq!(host.run(id).state, RunState::RetryWait);
    check(&world, &host, id);
    host.advance_secs(60);
    assert_eq!(host.run(id).attempt, 1);
}

#[test]
fn a_run_that_was_asked_to_end_gets_no_further_attempt() {
    let world = world();
    world.stage.then("backup", Act::FailWhenToldToEnd);
    let host = world.start();
    let id = host.submit("clinic").id();
    check(&world, &host, id);
    host.advance_secs(60);
    assert_eq!(host.run(id).attempt, 1);
}

#[test]
fn a_run_that_is_cancelled_as_it_gets_its_place_ends() {
    let world = world();
    let host = world.start();
    // Readers of the record race, so each time may go another way.
    for _ in 0..20 {
        world.stage.then("backup", Act::Block);
        // Nothing but the submission itself has happened when the request comes.
        let id = host.try_to_submit("clinic").unwrap().id();
        host.cancel(id).unwrap();
        assert_eq!(host.run(id).state, RunState::Cancelled);
        world.stage.forget_script();
    }
    let next = host.submit("other").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
}

#[test]
fn a_request_whose_end_cannot_be_written_is_kept() {
    let world = world();
    world.stage.then("backup", Act::Block);
    let host = world.start();
    let first = host.submit("clinic").id();
    let second = host.submit("clinic").id();
    host.faults().next("cancelled", Fault::Broken);
    assert_eq!(host.cancel(second).unwrap().state, RunState::Queued);
    host.cancel(first).unwrap();
    assert_eq!(host.run(second).state, RunState::Cancelled);
    assert_eq!(world.stage.seen().len(), 1);
}

#[test]
fn a_request_outlives_the_host() {
    let world = world();
    world.stage.then("backup", Act::Hang);
    let host = world.start();
    let id = host.submit("clinic").id();
    assert_eq!(host.cancel(id).unwrap().state, RunState::Running);
    host.kill();
    let host = world.start();
    assert_eq!(host.run(id).state, RunState::Cancelled);
    assert_eq!(host.recovered.cancelled, 1);
}
