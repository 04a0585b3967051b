//! What a reload does to runs that wait and to those that are under way.

use crate::support::{Act, Fault, World, procedure, retried, scheduled};
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::run::{Run, RunState};
use sopwith_core::schedule::CatchUp::Latest;
use std::time::Duration;

fn check_removed(run: &Run) {
    assert_eq!(run.state, RunState::Cancelled);
    let failure = run.failure.as_ref().unwrap();
    assert_eq!(failure.message, "procedure `clinic` was removed");
    assert_eq!(failure.blame, Blame::Operator);
}

/// One place, which `other` holds.
fn world() -> World {
    let mut world = World::new([]);
    let procedures = [
        retried(procedure("clinic", "check"), 1),
        procedure("other", "backup"),
    ];
    world.edit(procedures, 1, None);
    world.stage.then("backup", Act::Work(Duration::from_mins(1)));
    world
}

#[test]
fn a_run_that_waits_ends_when_its_procedure_is_removed() {
    let mut world = world();
    let host = world.start();
    let other = host.submit("other").id();
    let id = host.submit("clinic").id();
    let engine = host.engine.clone();
    let waiting = host.spawn(async move { engine.wait(id, false).await });
    world.edit([procedure("other", "backup")], 1, Some(&host));
    check_removed(&host.ended(waiting).unwrap());
    assert_eq!(host.run(id).attempt, 0);
    host.advance_secs(60);
    assert_eq!(host.run(other).state, RunState::Succeeded);
}

#[test]
fn a_run_that_waits_for_its_retry_ends_when_its_procedure_is_removed() {
    let mut world = world();
    world.stage.then("check", Act::Fail { retryable: true });
    let host = world.start();
    let id = host.submit("clinic").id();
    assert_eq!(host.run(id).state, RunState::RetryWait);
    world.edit([procedure("other", "backup")], 1, Some(&host));
    check_removed(&host.run(id));
    assert!(world.stage.leftovers().is_empty());
}

#[test]
fn a_removal_while_no_host_is_up_ends_what_waits() {
    let mut world = world();
    let host = world.start();
    host.submit("other");
    let id = host.submit("clinic").id();
    host.kill();
    world.edit([procedure("other", "backup")], 1, None);
    let host = world.start();
    check_removed(&host.run(id));
}

#[test]
fn an_attempt_that_is_under_way_ends_by_the_definition_it_began_with() {
    let mut world = world();
    let host = world.start();
    let id = host.submit("other").id();
    world.edit([], 1, Some(&host));
    host.advance_secs(60);
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn a_schedule_that_cannot_be_taken_over_fires_nothing_by_the_new_line() {
    let line = |line| [scheduled("clinic", "check", line, Latest)];
    let mut world = World::new(line("30 * * * *"));
    let host = world.start();
    host.advance(Duration::from_mins(20));
    host.faults().next("set_schedules", Fault::Broken);
    // The instants 1 to 20 of the new line lie behind.
    world.edit(line("* * * * *"), 4, Some(&host));
    host.advance_secs(30);
    assert!(host.ticks("clinic").is_empty(), "{:?}", host.ticks("clinic"));
    host.advance_secs(31);
    assert_eq!(host.ticks("clinic").len(), 1);
}

#[test]
fn a_reloader_that_ended_does_not_make_the_scheduler_spin() {
    let world = World::new([scheduled("clinic", "check", "* * * * *", Latest)]);
    let mut host = world.start();
    host.end_reloads();
    let before = world.clock.sleeps();
    host.advance_secs(61);
    assert_eq!(host.ticks("clinic").len(), 1);
    let sleeps = world.clock.sleeps() - before;
    assert!(
        sleeps < 100,
        "the scheduler went to sleep {sleeps} times in a minute"
    );
}

#[test]
fn an_action_that_lacks_what_it_needs_fails_without_being_called() {
    let mut world = World::new([scheduled("clinic", "restore", "* * * * *", Latest)]);
    let host = world.start();
    world.withhold("restore", &host);
    host.advance_secs(61);
    let runs = host.runs();
    assert_eq!(runs[0].state, RunState::Failed);
    let failure = runs[0].failure.as_ref().unwrap();
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Denied, Blame::Operator)
    );
    assert_eq!(failure.hint.as_deref(), Some("grant it"));
    assert!(world.stage.seen().is_empty());
}
