//! Runs that call other procedures, and the runs that they call.

use crate::support::{Act, Host, World, calling, gated, procedure, retried, using_app};
use sopwith_core::actor::Actor;
use sopwith_core::approval::{Answer, AnswerRefused};
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::operations::Operations as _;
use sopwith_core::port::{PauseScope, Store as _};
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Queued, Run, RunEvent, RunId, RunState, Trigger};
use sopwith_engine::NotAnswered;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// A procedure `deploy` that calls `clinic`, so often as there are acts of `clinic`, which carries out `backup`.
fn world(clinic: Procedure, acts: &[Act]) -> World {
    let world = World::new([calling(procedure("deploy", "check"), "clinic"), clinic]);
    for act in acts {
        world.stage.then("backup", act.clone());
    }
    for _ in 0..acts.len().max(1) {
        let calls = Act::Call("clinic", Box::new(Act::Succeed));
        world.stage.then("check", Act::Steps(&["plan"], Box::new(calls)));
    }
    world
}

fn backup() -> Procedure {
    procedure("clinic", "backup")
}

/// The run of `deploy` that somebody asked for, and the one that it called.
fn deployed(host: &Host) -> (RunId, RunId) {
    let caller = host.submit("deploy").id();
    (caller, called(host).id())
}

/// The only run of `clinic`.
fn called(host: &Host) -> Run {
    let runs = host.runs().into_iter();
    let mut called: Vec<_> = runs
        .filter(|run| run.queued.procedure.as_str() == "clinic")
        .collect();
    assert_eq!(called.len(), 1, "it was called once");
    called.remove(0)
}

fn states(host: &Host, both: (RunId, RunId)) -> (RunState, RunState) {
    (host.run(both.0).state, host.run(both.1).state)
}

fn answer(name: &str, uid: u32, approved: bool) -> Answer {
    let by = Actor::User {
        name: name.to_owned(),
        uid,
    };
    Answer {
        by,
        approved,
        note: String::new(),
        breaks_glass: false,
    }
}

#[test]
fn a_called_run_has_the_place_of_its_caller() {
    let mut world = world(backup(), &[]);
    world.edit(
        [calling(procedure("deploy", "check"), "clinic"), backup()],
        1,
        None,
    );
    let host = world.start();
    let both = deployed(&host);
    assert_eq!(states(&host, both), (RunState::Succeeded, RunState::Succeeded));
    let actor = host.run(both.1).queued.actor.to_string();
    assert_eq!(actor, "procedure:deploy for user:ann");
}

#[test]
fn a_called_run_and_one_of_the_same_action_take_turns() {
    let works = Act::Work(Duration::from_secs(30));
    let world = world(backup(), &[works.clone(), works]);
    let host = world.start();
    let other = host.submit("clinic").id();
    let caller = host.submit("deploy").id();
    assert_eq!(
        (host.run(other).state, host.run(caller).state),
        (RunState::Running, RunState::Running)
    );
    let running = || {
        host.runs()
            .iter()
            .filter(|run| run.state == RunState::Running)
            .count()
    };
    assert_eq!(running(), 2);
    host.advance_secs(31);
    assert_eq!(running(), 2);
    host.advance_secs(30);
    assert!(host.runs().iter().all(|run| run.state == RunState::Succeeded));
}

#[test]
fn it_holds_the_locks_of_what_it_calls() {
    let world = world(
        using_app(backup(), &Access::Replace),
        &[Act::Work(Duration::from_mins(1))],
    );
    let host = world.start();
    let both = deployed(&host);
    let other = host.submit("clinic").id();
    assert_eq!(host.run(other).state, RunState::Queued);
    host.advance_secs(60);
    assert_eq!(states(&host, both), (RunState::Succeeded, RunState::Succeeded));
    assert_eq!(host.run(other).state, RunState::Succeeded);
}

#[test]
fn a_caller_is_suspended_with_what_it_called_and_goes_on_with_it() {
    let waits = Act::SuspendFor(HOUR, Box::new(Act::Succeed));
    for restart in [false, true] {
        let world = world(backup(), &[waits.clone(), waits.clone()]);
        let mut host = world.start();
        let both = deployed(&host);
        assert_eq!(states(&host, both), (RunState::Suspended, RunState::Suspended));
        if restart {
            host.kill();
            host = world.start();
        }
        host.advance(HOUR);
        assert_eq!(
            states(&host, both),
            (RunState::Succeeded, RunState::Succeeded),
            "{restart}"
        );
        assert_eq!(called(&host).attempt, 1);
        assert_eq!(world.stage.effects(), ["plan"]);
    }
}

#[test]
fn a_gate_of_what_it_called_suspends_it_and_the_person_behind_it_does_not_count() {
    for (approved, expected) in [
        (true, (RunState::Succeeded, RunState::Succeeded)),
        (false, (RunState::Failed, RunState::Rejected)),
    ] {
        let world = world(gated(backup(), "start", 1), &[Act::Succeed, Act::Succeed]);
        let host = world.start();
        let both = deployed(&host);
        assert_eq!(
            states(&host, both),
            (RunState::Suspended, RunState::WaitingApproval)
        );
        let own = host.answer(both.1, answer("ann", 1_000, true), None).unwrap_err();
        assert!(
            matches!(own, NotAnswered::Refused(AnswerRefused::Requester { .. })),
            "{own}"
        );
        host.answer(both.1, answer("anna", 1, approved), None).unwrap();
        assert_eq!(states(&host, both), expected);
    }
}

#[test]
fn a_caller_that_was_cut_off_gets_the_same_run() {
    let world = world(backup(), &[Act::Work(HOUR), Act::Succeed]);
    let host = world.start();
    let both = deployed(&host);
    assert_eq!(states(&host, both), (RunState::Running, RunState::Running));
    host.kill();
    let host = world.start();
    assert_eq!(states(&host, both), (RunState::Succeeded, RunState::Succeeded));
    assert_eq!((called(&host).attempt, called(&host).resumed), (1, 1));
}

#[test]
fn what_it_called_ends_with_it() {
    let waits = Act::SuspendFor(HOUR, Box::new(Act::Succeed));
    for act in [Act::Block, waits] {
        let host = world(backup(), &[act]).start();
        let both = deployed(&host);
        host.cancel(both.0).unwrap();
        assert_eq!(states(&host, both), (RunState::Cancelled, RunState::Cancelled));
        host.advance(2 * HOUR);
    }
    // It blocks until its own time is up, or that of its caller, which began before.
    let mut slow = backup();
    slow.limits.timeout = HOUR;
    let host = world(slow, &[Act::Block]).start();
    let both = deployed(&host);
    host.advance_secs(120);
    assert_eq!(states(&host, both), (RunState::TimedOut, RunState::Cancelled));
}

#[test]
fn it_learns_that_what_it_called_was_cancelled() {
    let waits = Act::SuspendFor(HOUR, Box::new(Act::Succeed));
    for act in [Act::Block, waits] {
        let host = world(backup(), &[act.clone(), act]).start();
        let both = deployed(&host);
        host.cancel(both.1).unwrap();
        assert_eq!(states(&host, both), (RunState::Failed, RunState::Cancelled));
        let failure = host.run(both.0).failure.unwrap();
        assert_eq!(failure.message, "clinic is cancelled");
    }
}

#[test]
fn what_it_called_is_retried_while_it_waits() {
    let fails = Act::Fail { retryable: true };
    let host = world(retried(backup(), 1), &[fails]).start();
    let both = deployed(&host);
    assert_eq!(states(&host, both), (RunState::Running, RunState::RetryWait));
    host.advance_secs(20);
    assert_eq!(states(&host, both), (RunState::Succeeded, RunState::Succeeded));
}

#[test]
fn a_shutdown_cuts_both_off_and_both_go_on() {
    let world = world(backup(), &[Act::Work(HOUR), Act::Succeed]);
    let host = world.start();
    let both = deployed(&host);
    host.shut_down(Duration::from_secs(1));
    let host = world.start();
    assert_eq!(states(&host, both), (RunState::Succeeded, RunState::Succeeded));
}

#[test]
fn a_later_attempt_calls_again_what_did_not_pass() {
    let fails = Act::Fail { retryable: false };
    let mut world = world(backup(), &[fails, Act::Succeed]);
    let retried = retried(calling(procedure("deploy", "check"), "clinic"), 1);
    world.edit([retried, backup()], 4, None);
    let host = world.start();
    let caller = host.submit("deploy").id();
    host.advance_secs(20);
    assert_eq!(host.run(caller).state, RunState::Succeeded);
    let states = host.runs().into_iter().skip(1).map(|run| run.state);
    assert_eq!(
        states.collect::<Vec<_>>(),
        [RunState::Failed, RunState::Succeeded]
    );
}

#[test]
fn what_an_earlier_attempt_called_ends_with_it_too() {
    for ends in [Act::Fail { retryable: false }, Act::Panic] {
        let world = World::new([calling(procedure("deploy", "check"), "clinic"), backup()]);
        let calls = Act::Call("clinic", Box::new(Act::Succeed));
        for (action, act) in [("check", calls), ("check", ends), ("backup", Act::Block)] {
            world.stage.then(action, act);
        }
        let host = world.start();
        let both = deployed(&host);
        host.kill();
        let host = world.start();
        assert_eq!(states(&host, both), (RunState::Failed, RunState::Cancelled));
        assert!(world.stage.leftovers().is_empty());
    }
}

#[test]
fn one_that_is_cancelled_before_its_retry_does_not_keep_its_caller_waiting() {
    let fails = Act::Fail { retryable: true };
    let host = world(retried(backup(), 1), &[fails]).start();
    let both = deployed(&host);
    host.cancel(both.1).unwrap();
    assert_eq!(states(&host, both), (RunState::Failed, RunState::Cancelled));
}

#[test]
fn nobody_calls_what_is_paused_and_a_pause_of_the_host_interrupts_no_call() {
    let later = Act::WorkThen(
        Duration::from_secs(10),
        Box::new(Act::Call("clinic", Box::new(Act::Succeed))),
    );
    for (paused, state) in [(Some("clinic"), RunState::Failed), (None, RunState::Succeeded)] {
        let world = World::new([calling(procedure("deploy", "check"), "clinic"), backup()]);
        world.stage.then("check", later.clone());
        let host = world.start();
        let caller = host.submit("deploy").id();
        let scope = PauseScope {
            procedure: paused.map(|name| name.parse().unwrap()),
            action: None,
        };
        let desk = host.desk();
        host.ask(desk.pause(scope, None));
        host.advance_secs(20);
        let run = host.run(caller);
        assert_eq!(run.state, state, "{paused:?}");
        if let Some(failure) = run.failure {
            assert!(failure.message.contains("`clinic` is paused since"), "{failure}");
        }
    }
}

#[test]
fn what_had_databases_lent_to_it_is_not_repeated_without_them() {
    let host = world(backup(), &[Act::Succeed]).start();
    let (caller, of_call) = deployed(&host);
    let lent = Queued {
        id: RunId::new(jiff::Timestamp::UNIX_EPOCH, 1),
        trigger: Trigger::Procedure {
            run: caller,
            call: "another".to_owned(),
        },
        lent: ["app".to_owned()].into(),
        ..host.run(of_call).queued
    };
    let run = host.ask(host.record().queue(lent));
    let ended = RunEvent::Cancelled {
        at: jiff::Timestamp::UNIX_EPOCH,
        failure: Failure::cancelled(),
    };
    host.ask(host.record().apply(run.id(), run.epoch, ended, &Actor::Host));
    let refused = host.ask(async { Ok::<_, ()>(host.engine.retry(run.id(), Actor::Host).await) });
    let refused = Failure::from(refused.unwrap_err());
    let hint = format!("`sopwith retry {caller}` does all of it again");
    assert_eq!(refused.hint, Some(hint), "{refused}");
}

#[test]
fn callers_of_callers_rest_until_the_last_one_goes_on() {
    let asks = || Act::Ask("release", Box::new(Act::Succeed));
    let waits = || Act::SuspendFor(HOUR, Box::new(Act::Succeed));
    for act in [asks, waits] {
        let world = World::new([
            calling(procedure("deploy", "check"), "drill"),
            calling(procedure("drill", "restore"), "clinic"),
            gated(backup(), "release", 1),
        ]);
        for _ in 0..4 {
            let calls = |name| Act::Call(name, Box::new(Act::Succeed));
            world.stage.then("check", calls("drill"));
            world.stage.then("restore", calls("clinic"));
            world.stage.then("backup", act());
        }
        let host = world.start();
        host.submit("deploy");
        host.advance_secs(60);
        let runs = host.runs();
        for run in &runs {
            let name = &run.queued.procedure;
            assert_eq!((run.state, run.suspensions), (RunState::Suspended, 1), "{name}");
        }
        assert_eq!(runs.len(), 3);
        if let Some(asking) = runs.iter().find(|run| run.open_request().is_some()) {
            let approved = answer("anna", 1, true);
            host.answer(asking.id(), approved, None).unwrap();
        } else {
            host.advance(HOUR);
        }
        for run in host.runs() {
            let name = &run.queued.procedure;
            assert_eq!(run.state, RunState::Succeeded, "{name}: {:?}", run.failure);
        }
        assert_eq!(host.runs().len(), 3);
    }
}

#[test]
fn nobody_calls_itself_however_far_away() {
    let world = World::new([
        calling(procedure("deploy", "check"), "clinic"),
        calling(backup(), "deploy"),
    ]);
    world
        .stage
        .then("check", Act::Call("clinic", Box::new(Act::Succeed)));
    world
        .stage
        .then("backup", Act::Call("deploy", Box::new(Act::Succeed)));
    let host = world.start();
    let both = deployed(&host);
    assert_eq!(states(&host, both), (RunState::Failed, RunState::Failed));
    let failure = host.run(both.1).failure.unwrap();
    assert_eq!(failure.message, "`deploy` would call itself");
}
