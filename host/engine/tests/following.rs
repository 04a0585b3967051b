//! Schedules that follow on other procedures, and those that start on an event.

use crate::support::{Act, Fault, Host, World, every_minute, procedure, scheduled};
use serde_json::{Value, json};
use sopwith_core::failure::Failure;
use sopwith_core::port::operations::{Operations as _, Submission, Triggered};
use sopwith_core::port::{NoRun, PauseScope, Scheduling as _, TickOutcome};
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Run, RunState, Trigger};
use sopwith_core::schedule::{After, AfterOn, CatchUp, Overlap, When};
use std::time::Duration;

/// A procedure of the action `check` whose schedule `tick` starts by this.
fn starting(name: &str, when: When) -> Procedure {
    every_minute(name, "check", |schedule| {
        schedule.when = when;
        schedule.overlap = Overlap::Allow { max: 64 };
    })
}

fn following(name: &str, of: &str, on: AfterOn) -> Procedure {
    let procedure = of.parse().unwrap();
    let action = None;
    starting(
        name,
        When::After(After {
            procedure,
            action,
            on,
        }),
    )
}

fn on_event(name: &str) -> Procedure {
    starting(name, When::Event("deployed".parse().unwrap()))
}

/// `backup` at once, and one that follows on it in each way.
fn world() -> World {
    World::new([
        procedure("backup", "backup"),
        following("verify", "backup", AfterOn::Success),
        following("alarm", "backup", AfterOn::Failure),
        following("report", "backup", AfterOn::Any),
        following("archive", "verify", AfterOn::Success),
    ])
}

fn of<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    let runs = runs.iter();
    runs.filter(|run| run.queued.procedure.as_str() == name).collect()
}

/// How many runs each of the followers had.
fn check(host: &Host, [verify, alarm, report, archive]: [usize; 4]) {
    let runs = host.runs();
    let count = |name| of(&runs, name).len();
    let counts = ["verify", "alarm", "report", "archive"].map(count);
    assert_eq!(counts, [verify, alarm, report, archive]);
    assert!(runs.iter().all(|run| run.state.is_final()));
    assert_eq!(host.ask(host.record().owed()), []);
}

#[test]
fn what_passed_and_what_did_not_are_followed_by_those_who_ask_for_it() {
    let world = world();
    let host = world.start();
    let passed = host.submit("backup").id();
    check(&host, [1, 0, 1, 1]);
    let run = of(&host.runs(), "verify")[0].clone();
    assert_eq!(run.queued.trigger.as_str(), "after");
    assert_eq!(run.queued.trigger.scheduled_at(), None);
    assert!(matches!(run.queued.trigger, Trigger::After { run, .. } if run == passed));
    world.stage.then("backup", Act::Fail { retryable: false });
    host.submit("backup");
    check(&host, [1, 1, 2, 1]);
}

fn asked(dry_run: bool) -> Submission {
    Submission {
        procedure: "backup".parse().unwrap(),
        action: None,
        inputs: Value::Null,
        dry_run,
        even_paused: false,
        key: None,
        retry_of: None,
    }
}

#[test]
fn a_dry_run_is_followed_by_nobody() {
    let world = world();
    let host = world.start();
    let desk = host.desk();
    host.ask(desk.submit(asked(true)));
    host.settle();
    check(&host, [0; 4]);
}

#[test]
fn each_end_is_followed_once_wherever_the_host_dies_or_an_answer_is_lost() {
    for fault in [
        Fault::DeathBefore,
        Fault::DeathAfter,
        Fault::AnswerLost,
        Fault::Broken,
    ] {
        for calls in 0..40 {
            let world = world();
            let mut host = world.start();
            host.faults().any(calls, fault);
            let (desk, submission) = (host.desk(), asked(false));
            drop(host.spawn(async move { desk.submit(submission).await }));
            host.settle();
            host.advance_secs(3);
            if host.faults().is_dead() {
                host.kill();
                host = world.start();
            }
            host.faults().clear();
            host.advance_secs(3);
            host.kill();
            host = world.start();
            host.advance_secs(3);
            let runs = host.runs();
            let passed = |name| of(&runs, name).iter().filter(|run| run.passed()).count();
            let (all, good) = (of(&runs, "backup").len(), passed("backup"));
            check(&host, [good, all - good, all, passed("verify")]);
        }
    }
}

#[test]
fn what_ended_without_a_service_is_followed_by_the_next_one() {
    let world = world();
    world.start().kill();
    let command = world.boot(|_| {});
    command.submit("backup");
    command.kill();
    let host = world.start();
    host.settle();
    check(&host, [1, 0, 1, 1]);
}

fn trigger(host: &Host, event: &str, inputs: Value) -> Result<Vec<Triggered>, Failure> {
    let desk = host.desk();
    let event = event.parse().unwrap();
    let told = host.ask(async { Ok::<_, ()>(desk.trigger(event, inputs).await) });
    host.settle();
    told
}

#[test]
fn an_event_starts_each_schedule_that_names_it() {
    let mut told = on_event("smoke");
    told.schedules[0].inputs = json!({ "page": "/", "depth": 1 });
    let world = World::new([
        told,
        on_event("integrity"),
        scheduled("other", "check", "0 4 * * *", CatchUp::None),
    ]);
    let host = world.start();
    let triggered = trigger(&host, "deployed", json!({ "depth": 2 })).unwrap();
    assert_eq!(triggered.len(), 2);
    let runs = host.runs();
    let smoke = of(&runs, "smoke")[0];
    assert_eq!(smoke.queued.inputs, json!({ "page": "/", "depth": 2 }));
    assert_eq!(
        (smoke.queued.trigger.as_str(), smoke.state),
        ("event", RunState::Succeeded)
    );
    assert_eq!(smoke.queued.actor.to_string(), "user:ann");
    let unknown = trigger(&host, "deployd", Value::Null).unwrap_err();
    assert_eq!(unknown.hint.unwrap(), "did you mean `deployed`?");
    // Two in one instant are two.
    trigger(&host, "deployed", Value::Null).unwrap();
    trigger(&host, "deployed", Value::Null).unwrap();
    assert_eq!(of(&host.runs(), "smoke").len(), 3);
}

#[test]
fn an_event_that_meets_a_run_or_a_pause_is_kept_with_its_reason() {
    let mut alone = on_event("smoke");
    alone.schedules[0].overlap = Overlap::Forbid;
    let world = World::new([alone]);
    world.stage.then("check", Act::Work(Duration::from_secs(50)));
    let host = world.start();
    trigger(&host, "deployed", Value::Null).unwrap();
    let skipped = |host: &Host| trigger(host, "deployed", Value::Null).unwrap()[0].skipped;
    assert_eq!(skipped(&host), Some(NoRun::Overlap));
    assert_eq!(skipped(&host), Some(NoRun::Overlap));
    host.advance_secs(60);
    let desk = host.desk();
    host.ask(desk.pause(PauseScope::HOST, None));
    assert_eq!(skipped(&host), Some(NoRun::Paused));
    let told: Vec<_> = host
        .ticks("smoke")
        .iter()
        .map(|outcome| match outcome {
            TickOutcome::Run(run) => run.state.to_string(),
            TickOutcome::Range(range) => format!("{} {}", range.count, range.reason.as_str()),
        })
        .collect();
    assert_eq!(told, ["succeeded", "2 skipped(overlap)", "1 skipped(paused)"]);
}
