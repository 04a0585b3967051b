//! Pauses: what is held off, for how long, and what the record says of it.

use crate::support::{Act, Host, World, every_minute, often_at_once, procedure, told};
use sopwith_core::actor::Actor;
use sopwith_core::port::operations::{Operations as _, Submission};
use sopwith_core::port::{Pause, PauseScope, Scheduling as _};
use sopwith_core::run::RunState;
use std::time::Duration;

fn clinic() -> PauseScope {
    PauseScope {
        procedure: Some("clinic".parse().unwrap()),
        action: None,
    }
}

fn world() -> World {
    World::new([every_minute("clinic", "check", |_| {})])
}

fn pause(host: &Host, scope: PauseScope) -> Pause {
    let desk = host.desk();
    let paused = host.ask(desk.pause(scope, Some("the disk is full".to_owned())));
    host.settle();
    paused
}

fn resume(host: &Host, scope: PauseScope) {
    let desk = host.desk();
    host.ask(desk.resume(scope));
    host.settle();
}

fn check(host: &Host, expected: &[&str]) {
    assert_eq!(told(&host.ticks("clinic")), expected);
}

#[test]
fn a_pause_is_one_range_however_long_it_lasts() {
    let world = world();
    let host = world.start();
    host.advance_secs(90);
    pause(&host, clinic());
    host.advance(Duration::from_hours(2));
    check(&host, &["1 succeeded", "2..121 skipped(paused)"]);
    host.kill();
    world
        .clock
        .go_to(Duration::from_secs(90) + Duration::from_hours(4));
    let host = world.start();
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2..242 skipped(paused)"]);
    resume(&host, clinic());
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2..242 skipped(paused)", "243 succeeded"]);
}

#[test]
fn what_is_resumed_before_a_host_starts_catches_nothing_up() {
    let world = world();
    let host = world.start();
    host.advance_secs(90);
    pause(&host, clinic());
    host.kill();
    world.clock.go_to(Duration::from_hours(2));
    let only_command = world.boot(|_| {});
    resume(&only_command, clinic());
    only_command.kill();
    let host = world.start();
    check(&host, &["1 succeeded", "2..120 skipped(paused)"]);
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2..120 skipped(paused)", "121 succeeded"]);
}

#[test]
fn what_runs_comes_to_its_end_and_nobody_starts_it_unawares() {
    let world = world();
    world.stage.then("check", Act::Work(Duration::from_secs(50)));
    let host = world.start();
    host.advance_secs(60);
    let paused = pause(&host, clinic());
    let refused = host.try_to_submit("clinic").unwrap_err();
    let since = paused.since;
    assert_eq!(
        refused.to_string(),
        format!("`clinic` is paused since {since}, by user:ann: the disk is full")
    );
    assert!(refused.hint().unwrap().contains("--even-paused"));
    let submission = Submission {
        procedure: "clinic".parse().unwrap(),
        action: None,
        inputs: serde_json::Value::Null,
        dry_run: false,
        even_paused: true,
        key: None,
        retry_of: None,
    };
    let desk = host.desk();
    host.ask(desk.submit(submission));
    host.advance_secs(59);
    check(&host, &["1 succeeded"]);
    assert!(host.runs().iter().all(|run| run.state == RunState::Succeeded));
    assert_eq!(host.runs().len(), 2);
}

#[test]
fn a_frozen_host_starts_nothing_also_after_a_restart() {
    let world = World::new([
        every_minute("clinic", "check", |_| {}),
        often_at_once(procedure("other", "backup")),
    ]);
    world.stage.then("backup", Act::Fail { retryable: true });
    let host = world.start();
    host.advance_secs(61);
    pause(&host, PauseScope::HOST);
    assert!(host.try_to_submit("other").is_err());
    host.advance_secs(60);
    host.kill();
    let host = world.start();
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2..3 skipped(paused)"]);
    assert_eq!(host.runs().len(), 1);
    resume(&host, PauseScope::HOST);
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2..3 skipped(paused)", "4 succeeded"]);
}

#[test]
fn a_run_that_waits_while_the_host_is_frozen_starts_when_it_is_resumed() {
    let mut world = World::new([]);
    world.edit(
        [
            every_minute("clinic", "check", |_| {}),
            procedure("other", "backup"),
        ],
        1,
        None,
    );
    world.stage.then("check", Act::Work(Duration::from_secs(30)));
    let host = world.start();
    host.advance_secs(60);
    let waiting = host.submit("other").id();
    pause(&host, PauseScope::HOST);
    host.advance_secs(45);
    assert_eq!(host.run(waiting).state, RunState::Queued);
    resume(&host, PauseScope::HOST);
    assert_eq!(host.run(waiting).state, RunState::Succeeded);
}

#[test]
fn what_is_paused_twice_or_resumed_in_vain_is_told() {
    let world = world();
    let host = world.start();
    let desk = host.desk();
    let refused = host.ask(async { Ok::<_, ()>(desk.resume(clinic()).await.unwrap_err()) });
    assert_eq!(refused.message, "`clinic` is not paused");
    pause(&host, PauseScope::HOST);
    let refused = host.ask(async { Ok::<_, ()>(desk.resume(clinic()).await.unwrap_err()) });
    assert_eq!(refused.hint.unwrap(), "the whole host is: `sopwith resume --all`");
    let refused = host.ask(async { Ok::<_, ()>(desk.pause(PauseScope::HOST, None).await.unwrap_err()) });
    assert!(
        refused
            .message
            .starts_with("the host is paused already since 2026-03-02"),
        "{refused}"
    );
}

#[test]
fn an_action_that_fails_again_and_again_is_paused_and_counts_anew_when_it_is_resumed() {
    let mut failing = every_minute("clinic", "check", |_| {});
    failing.pause_after_failures = Some(3);
    let world = World::new([failing]);
    for act in [false, false, true, false, false, false, false, false] {
        let fail = Act::Fail { retryable: false };
        world.stage.then("check", if act { Act::Succeed } else { fail });
    }
    let host = world.start();
    host.advance_secs(8 * 60 + 30);
    let expected = [
        "1 failed",
        "2 failed",
        "3 succeeded",
        "4 failed",
        "5 failed",
        "6 failed",
        "7..8 skipped(paused)",
    ];
    check(&host, &expected);
    let pauses = host.ask(host.record().pauses());
    assert_eq!(pauses.len(), 1);
    assert_eq!(pauses[0].by, Actor::Host);
    assert_eq!(pauses[0].reason.as_deref(), Some("3 runs in a row failed"));
    resume(&host, clinic());
    host.kill();
    let host = world.start();
    host.advance_secs(140);
    let mut after = expected.to_vec();
    after.extend(["9 failed", "10 failed"]);
    check(&host, &after);
    host.advance_secs(60);
    after.push("11 succeeded");
    check(&host, &after);
}
