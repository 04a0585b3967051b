//! A record that fails for a while, or whose answers are lost.

use crate::support::{Act, Fault, World, procedure, retried, scheduled};
use sopwith_core::run::{RunId, RunState};
use sopwith_core::schedule::CatchUp::Latest;
use std::time::Duration;

fn world(act: Act) -> World {
    let world = World::new([retried(procedure("clinic", "restore"), 1)]);
    world.stage.then("restore", act);
    world
}

/// A run that meets a fault at this call: its state, and how often the plugin was called.
fn check(act: Act, call: &'static str, fault: Fault, expected: (RunState, usize)) {
    let world = world(act);
    let host = world.start();
    host.faults().next(call, fault);
    let id = host.submit("clinic").id();
    host.advance_secs(2);
    let what = format!("{fault:?} at `{call}`");
    assert_eq!((host.run(id).state, world.stage.seen().len()), expected, "{what}");
    host.advance_secs(30);
    let run = host.run(id);
    assert!(run.state.is_final(), "{what}: {}", run.state);
    assert!(
        world.stage.leftovers().is_empty(),
        "{what}: the run has not cleared up"
    );
    assert_eq!(host.tasks(), 1, "{what}: only the scheduler is left");
}

#[test]
fn an_end_that_cannot_be_written_is_written_later() {
    check(Act::Succeed, "succeeded", Fault::Broken, (RunState::Succeeded, 1));
    check(
        Act::Fail { retryable: false },
        "attempt_failed",
        Fault::Broken,
        (RunState::Failed, 1),
    );
}

#[test]
fn an_end_whose_answer_is_lost_stands_once() {
    check(
        Act::Succeed,
        "succeeded",
        Fault::AnswerLost,
        (RunState::Succeeded, 1),
    );
    let retried = Act::Fail { retryable: true };
    check(
        retried,
        "attempt_failed",
        Fault::AnswerLost,
        (RunState::RetryWait, 1),
    );
}

#[test]
fn a_start_that_cannot_be_written_is_tried_again_before_anything_is_done() {
    for fault in [Fault::Broken, Fault::AnswerLost] {
        check(Act::Succeed, "attempt_started", fault, (RunState::Succeeded, 1));
    }
    check(Act::Succeed, "run", Fault::Broken, (RunState::Succeeded, 1));
}

#[test]
fn an_outage_of_minutes_loses_no_outcome() {
    let world = world(Act::Work(Duration::from_secs(30)));
    let host = world.start();
    let id = host.submit("clinic").id();
    host.faults().break_all(true);
    host.advance_secs(300);
    assert_eq!(host.run(id).state, RunState::Running);
    host.faults().break_all(false);
    host.advance_secs(1);
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn a_tick_that_cannot_be_claimed_is_claimed_later_and_runs_once() {
    for fault in [Fault::Broken, Fault::AnswerLost] {
        let world = World::new([scheduled("clinic", "restore", "0 * * * *", Latest)]);
        let host = world.start();
        host.faults().next("claim", fault);
        host.advance(Duration::from_mins(61));
        let states: Vec<_> = host.runs().iter().map(|run| run.state).collect();
        assert_eq!(states, [RunState::Succeeded], "{fault:?}");
    }
}

#[test]
fn a_broken_record_is_not_hammered() {
    let world = World::new([scheduled("clinic", "restore", "* * * * *", Latest)]);
    let host = world.start();
    host.faults().break_all(true);
    host.advance_secs(60);
    let before = host.faults().calls();
    host.advance_secs(60);
    let calls = host.faults().calls() - before;
    assert!((50..=70).contains(&calls), "{calls} calls in a minute");
}

#[test]
fn a_host_that_is_told_to_end_while_the_record_is_broken_does_not_forget_the_cancellation() {
    let world = world(Act::FailWhenToldToEnd);
    let host = world.start();
    let id: RunId = host.submit("clinic").id();
    host.faults().next("attempt_failed", Fault::Broken);
    host.faults().next("cancelled", Fault::Broken);
    host.cancel(id).unwrap();
    host.advance_secs(5);
    assert_eq!(host.run(id).state, RunState::Cancelled);
    assert_eq!(world.stage.seen().len(), 1);
}

#[test]
fn a_report_that_can_never_be_kept_fails_the_run_and_is_not_tried_for_ever() {
    let world = world(Act::Nest(125));
    let host = world.start();
    let id = host.submit("clinic").id();
    host.advance_secs(2);
    let run = host.run(id);
    assert_eq!(run.state, RunState::Failed);
    assert!(run.failure.unwrap().message.contains("nesting"));
    assert_eq!(host.tasks(), 1, "only the scheduler is left");
}
