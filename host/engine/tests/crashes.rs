//! Hosts that die in the middle: what becomes of their runs.

use crate::support::{Act, Fault, Host, World, procedure, retried, scheduled};
use jiff::{SignedDuration, Timestamp};
use sopwith_core::failure::Blame;
use sopwith_core::port::Store as _;
use sopwith_core::run::{Run, RunEvent, RunId, RunState};
use sopwith_core::schedule::CatchUp::Latest;
use std::time::Duration;

/// Steps, and then a success.
fn steps() -> Act {
    Act::Steps(&["dump", "publish"], Box::new(Act::Succeed))
}

/// A run of the first tick whose host dies around a call of the record, as the next host left it.
fn after_death(world: &World, act: &Act, action: &str, call: &'static str, death: Fault) -> Run {
    world.stage.then(action, act.clone());
    world.stage.then(action, act.clone());
    let host = world.start();
    host.faults().next(call, death);
    host.advance_secs(61);
    assert!(host.faults().is_dead(), "`{call}` was not called");
    host.kill();
    let host = world.start();
    let runs = host.runs();
    assert_eq!(runs.len(), 1, "a tick has one run");
    assert_eq!(world.stage.violations(), [] as [String; 0]);
    assert!(world.stage.leftovers().is_empty());
    runs.into_iter().next().unwrap()
}

/// What became of the run, and how often the plugin was called.
fn check(action: &str, act: &Act, call: &'static str, death: Fault, expected: (RunState, u32, usize)) {
    let world = World::new([scheduled("clinic", action, "0 * * * *", Latest)]);
    world.clock.turn(SignedDuration::from_mins(59));
    let run = after_death(&world, act, action, call, death);
    let what = format!("`{action}`, {death:?} around `{call}`");
    assert_eq!(
        (run.state, run.resumed, world.stage.seen().len()),
        expected,
        "{what}"
    );
    assert_eq!(run.attempt, 1, "{what}: no attempt is used up by a death");
    if run.state == RunState::Lost {
        assert_eq!(run.failure.unwrap().blame, Blame::Host, "{what}");
    }
}

#[test]
fn a_tick_that_was_claimed_runs_with_the_next_host() {
    check(
        "restore",
        &Act::Succeed,
        "claim",
        Fault::DeathAfter,
        (RunState::Succeeded, 0, 1),
    );
    check(
        "restore",
        &Act::Succeed,
        "claim",
        Fault::DeathBefore,
        (RunState::Succeeded, 0, 1),
    );
}

#[test]
fn an_attempt_that_had_not_started_is_no_loss() {
    let succeeded = (RunState::Succeeded, 0, 1);
    check(
        "restore",
        &Act::Succeed,
        "attempt_started",
        Fault::DeathBefore,
        succeeded,
    );
}

#[test]
fn what_may_simply_be_started_again_goes_on() {
    for action in ["check", "backup"] {
        check(
            action,
            &Act::Succeed,
            "attempt_started",
            Fault::DeathAfter,
            (RunState::Succeeded, 1, 1),
        );
        check(
            action,
            &Act::Succeed,
            "succeeded",
            Fault::DeathBefore,
            (RunState::Succeeded, 1, 2),
        );
    }
}

#[test]
fn what_may_not_is_lost() {
    check(
        "restore",
        &Act::Succeed,
        "attempt_started",
        Fault::DeathAfter,
        (RunState::Lost, 0, 0),
    );
    check(
        "restore",
        &Act::Succeed,
        "succeeded",
        Fault::DeathBefore,
        (RunState::Lost, 0, 1),
    );
}

#[test]
fn an_end_that_was_recorded_stands() {
    check(
        "restore",
        &Act::Succeed,
        "succeeded",
        Fault::DeathAfter,
        (RunState::Succeeded, 0, 1),
    );
}

#[test]
fn a_run_with_finished_steps_goes_on_after_them() {
    let world = World::new([scheduled("clinic", "restore", "0 * * * *", Latest)]);
    world.clock.turn(SignedDuration::from_mins(59));
    let run = after_death(&world, &steps(), "restore", "record", Fault::DeathAfter);
    assert_eq!((run.state, run.resumed, run.attempt), (RunState::Succeeded, 1, 1));
    assert_eq!(world.stage.effects(), ["dump", "publish"]);
}

#[test]
fn a_run_is_taken_up_so_often_and_then_lost() {
    let world = World::new([procedure("clinic", "backup")]);
    let mut host = world.start();
    for _ in 0..4 {
        world.stage.then("backup", Act::Block);
    }
    let id = host.submit("clinic").id();
    for resumed in 1..=3 {
        host.kill();
        host = world.start();
        let run = host.run(id);
        assert_eq!(
            (run.state, run.resumed, run.attempt),
            (RunState::Running, resumed, 1)
        );
        assert_eq!(host.recovered.resumed, 1);
    }
    host.kill();
    let host = world.start();
    let run = host.run(id);
    assert_eq!(
        (run.state, run.resumed, host.recovered.lost),
        (RunState::Lost, 3, 1)
    );
    assert_eq!(run.failure.unwrap().blame, Blame::Host);
}

#[test]
fn a_retry_that_waits_keeps_its_instant_and_its_count() {
    let world = World::new([retried(procedure("clinic", "restore"), 1)]);
    world.stage.then("restore", Act::Fail { retryable: true });
    let host = world.start();
    let id = host.submit("clinic").id();
    host.advance_secs(2);
    host.kill();
    let host = world.start();
    assert_eq!(host.run(id).state, RunState::RetryWait);
    host.advance_secs(10);
    let run = host.run(id);
    assert_eq!((run.state, run.attempt, run.resumed), (RunState::Succeeded, 2, 0));
    assert!(run.ended_at.unwrap() >= retry_at(&host, id));
}

fn retry_at(host: &Host, id: RunId) -> Timestamp {
    let events = host.ask(host.record().events(id));
    let mut instants = events.into_iter().filter_map(|event| match event {
        RunEvent::AttemptFailed { retry_at, .. } => retry_at,
        _ => None,
    });
    instants.next().unwrap()
}

#[test]
fn what_is_asked_for_while_a_host_recovers_is_not_taken_for_cut_off() {
    let world = World::new([procedure("clinic", "restore")]);
    let mut id = None;
    let host = world.boot(|host| {
        id = Some(host.submit("clinic").id());
        assert_eq!(host.run(id.unwrap()).state, RunState::Queued);
    });
    assert_eq!((host.recovered.queued, host.recovered.lost), (1, 0));
    assert_eq!(host.run(id.unwrap()).state, RunState::Succeeded);
    assert_eq!(world.stage.seen().len(), 1);
}

#[test]
fn who_waits_for_a_run_hears_that_it_was_lost() {
    let world = World::new([procedure("clinic", "restore")]);
    world.stage.then("restore", Act::Block);
    let host = world.start();
    let id = host.submit("clinic").id();
    host.kill();
    let mut waiting = None;
    let host = world.boot(|host| {
        let engine = host.engine.clone();
        waiting = Some(host.spawn(async move { engine.wait(id, false).await }));
        host.settle();
    });
    let run = host.ended(waiting.unwrap()).unwrap();
    assert_eq!(run.state, RunState::Lost);
}

#[test]
fn a_run_whose_plugin_is_gone_is_lost_or_fails_and_the_host_is_to_blame() {
    let world = World::new([procedure("clinic", "backup"), procedure("other", "check")]);
    world.stage.then("backup", Act::Block);
    let host = world.start();
    let cut_off = host.submit("clinic").id();
    host.kill();
    world.shelf.clear();
    let host = world.start();
    let fresh = host.submit("other").id();
    host.advance(Duration::from_secs(1));
    for (id, state) in [(cut_off, RunState::Lost), (fresh, RunState::Failed)] {
        let run = host.run(id);
        assert_eq!(run.state, state);
        assert_eq!(run.failure.unwrap().blame, Blame::Host);
    }
}
