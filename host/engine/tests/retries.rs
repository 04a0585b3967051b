//! Attempts that fail, and those that come after them.

use crate::support::{Act, Host, SECRET, World, procedure, retried};
use jiff::SignedDuration;
use sopwith_core::failure::Blame;
use sopwith_core::port::Store as _;
use sopwith_core::run::{Run, RunEvent, RunState};
use std::time::Duration;

fn world(retries: u32, acts: &[Act]) -> World {
    let world = World::new([retried(procedure("clinic", "restore"), retries)]);
    for act in acts {
        world.stage.then("restore", act.clone());
    }
    world
}

/// The end of a run whose attempts do these things.
fn ended(retries: u32, acts: &[Act]) -> (Host, Run) {
    let world = world(retries, acts);
    let host = world.start();
    let id = host.submit("clinic").id();
    host.advance(Duration::from_mins(10));
    let run = host.run(id);
    (host, run)
}

fn check(retries: u32, acts: &[Act], expected: (RunState, u32)) {
    let (_, run) = ended(retries, acts);
    assert_eq!((run.state, run.attempt), expected, "{acts:?}");
}

#[test]
fn what_may_succeed_later_is_tried_again_so_often() {
    let fail = Act::Fail { retryable: true };
    check(2, &[fail.clone(), fail.clone()], (RunState::Succeeded, 3));
    check(1, &[fail.clone(), fail], (RunState::Failed, 2));
}

#[test]
fn what_cannot_succeed_later_is_not_tried_again() {
    check(2, &[Act::Fail { retryable: false }], (RunState::Failed, 1));
}

#[test]
fn an_attempt_that_runs_out_of_time_is_timed_out_and_tried_again() {
    check(0, &[Act::Block], (RunState::TimedOut, 1));
    check(1, &[Act::Block], (RunState::Succeeded, 2));
}

#[test]
fn retries_wait_longer_each_time() {
    let fail = Act::Fail { retryable: true };
    let (host, run) = ended(3, &[fail.clone(), fail.clone(), fail]);
    let events = host.ask(host.record().events(run.id()));
    let mut failed_at = None;
    let mut waits = Vec::new();
    for event in &events {
        match event {
            RunEvent::AttemptFailed { at, retry_at, .. } => failed_at = Some((*at, retry_at.unwrap())),
            RunEvent::AttemptStarted { at } => {
                if let Some((failed_at, retry_at)) = failed_at {
                    assert_eq!(*at, retry_at, "a retry starts when it was told to");
                    waits.push(at.duration_since(failed_at).as_secs());
                }
            }
            _ => {}
        }
    }
    for (wait, range) in waits.iter().zip([5..10, 10..20, 20..40]) {
        assert!(range.contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 3);
}

#[test]
fn a_plugin_that_says_by_itself_that_it_was_told_to_end_has_failed() {
    check(0, &[Act::SayCancelled], (RunState::Failed, 1));
}

#[test]
fn what_a_plugin_says_is_masked() {
    let (_, run) = ended(0, &[Act::Succeed]);
    let report = run.report.unwrap();
    assert_eq!(report.summary, "the password is ***");
    assert!(!report.output.to_string().contains(SECRET));
    let (_, run) = ended(0, &[Act::Fail { retryable: false }]);
    let failure = run.failure.unwrap();
    assert_eq!(failure.message, "the service does not take ***");
    assert_eq!(failure.blame, Blame::Outside);
}

#[test]
fn wake_ups_do_not_pile_up() {
    let fail = Act::Fail { retryable: true };
    let world = world(1_000, &vec![fail; 300]);
    let host = world.start();
    for _ in 0..10 {
        host.submit("clinic");
    }
    host.advance_secs(1);
    let tasks = host.tasks();
    host.advance(Duration::from_mins(10));
    assert!(host.tasks() <= tasks, "{} tasks became {}", tasks, host.tasks());
}

#[test]
fn a_clock_that_is_turned_neither_delays_nor_hastens_a_retry() {
    for hours in [-24, 24] {
        let world = world(1, &[Act::Fail { retryable: true }]);
        let host = world.start();
        let id = host.submit("clinic").id();
        world.clock.turn(SignedDuration::from_hours(hours));
        host.advance_secs(4);
        assert_eq!(host.run(id).state, RunState::RetryWait);
        host.advance_secs(6);
        assert_eq!(host.run(id).state, RunState::Succeeded);
    }
}
