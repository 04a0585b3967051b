//! Runs that ask people, and what their answers come to.

use crate::support::{Act, Fault, Host, World, every_minute, gated, procedure, submission};
use jiff::SignedDuration;
use sopwith_core::actor::Actor;
use sopwith_core::approval::{Answer, AnswerRefused};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::port::Store as _;
use sopwith_core::port::operations::{Operations, Reply, Submission};
use sopwith_core::run::{Run, RunId, RunState};
use sopwith_core::schedule::{After, AfterOn, When};
use sopwith_engine::NotAnswered;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

fn user(name: &str, uid: u32) -> Actor {
    Actor::User {
        name: name.to_owned(),
        uid,
    }
}

fn answer(by: &str, uid: u32, approved: bool) -> Answer {
    Answer {
        by: user(by, uid),
        approved,
        note: String::new(),
        breaks_glass: false,
    }
}

/// The one who asks for all runs here.
const REQUESTER: (&str, u32) = ("ann", 1_000);

fn anna() -> Answer {
    answer("anna", 1, true)
}

fn berta() -> Answer {
    answer("berta", 2, true)
}

/// A host whose procedure is asked about before it starts, by so many people.
fn gated_world(count: u32) -> World {
    World::new([gated(procedure("clinic", "check"), "start", count)])
}

/// A host whose procedure asks under the name `release`, twice where it is asked so often.
fn asking_world(count: u32) -> World {
    let world = World::new([gated(procedure("clinic", "restore"), "release", count)]);
    for _ in 0..2 {
        let asks = Act::Ask("release", Box::new(Act::Succeed));
        world.stage.then("restore", Act::Steps(&["stop"], Box::new(asks)));
    }
    world
}

fn waiting(host: &Host, state: RunState) -> RunId {
    let id = host.submit("clinic").id();
    assert_eq!(host.run(id).state, state);
    id
}

fn refused(host: &Host, id: RunId, given: Answer) -> AnswerRefused {
    match host.answer(id, given, None) {
        Err(NotAnswered::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn digest(run: &Run) -> Digest {
    run.open_request().expect("a request").request.digest
}

#[test]
fn a_start_gate_lets_a_run_start_once_enough_people_approve() {
    let world = gated_world(2);
    let host = world.start();
    let id = waiting(&host, RunState::WaitingApproval);
    assert_eq!(
        host.answer(id, anna(), None).unwrap().state,
        RunState::WaitingApproval
    );
    host.answer(id, berta(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn one_rejection_ends_it_before_it_starts() {
    let world = gated_world(2);
    let host = world.start();
    let id = waiting(&host, RunState::WaitingApproval);
    host.answer(id, answer("anna", 1, false), None).unwrap();
    let run = host.run(id);
    assert_eq!((run.state, run.attempt), (RunState::Rejected, 0));
    assert_eq!(run.failure.unwrap().message, "user:anna rejected `start`");
    assert!(world.stage.seen().is_empty());
}

#[test]
fn nobody_in_time_ends_it_also_over_a_restart() {
    let world = gated_world(1);
    let host = world.start();
    let id = waiting(&host, RunState::WaitingApproval);
    host.kill();
    let host = world.start();
    host.advance(HOUR);
    assert_eq!(host.run(id).state, RunState::Expired);
    let late = host.answer(id, anna(), None).unwrap_err();
    assert!(matches!(late, NotAnswered::NotAsked { .. }), "{late}");
}

#[test]
fn the_requester_and_whoever_has_answered_do_not_count() {
    let host = gated_world(2).start();
    let id = waiting(&host, RunState::WaitingApproval);
    let own = refused(&host, id, answer(REQUESTER.0, REQUESTER.1, true));
    assert!(matches!(own, AnswerRefused::Requester { .. }), "{own}");
    host.answer(id, anna(), None).unwrap();
    // The same person under another name of the user database.
    let again = refused(&host, id, answer("toor", 1, true));
    assert!(matches!(again, AnswerRefused::Again { .. }), "{again}");
    assert_eq!(host.run(id).state, RunState::WaitingApproval);
}

#[test]
fn a_glass_is_broken_by_one_person_with_a_reason() {
    let host = gated_world(3).start();
    let id = waiting(&host, RunState::WaitingApproval);
    let breaks = |reason: &str| Answer {
        note: reason.to_owned(),
        breaks_glass: true,
        ..answer(REQUESTER.0, REQUESTER.1, true)
    };
    assert_eq!(refused(&host, id, breaks(" ")), AnswerRefused::NoReason);
    host.answer(id, breaks("the site is down"), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
    let entries = host.ask(host.record().audit_entries(0, 100));
    let loud = entries
        .iter()
        .find(|kept| kept.entry.action == "run.glass_broken");
    assert!(
        loud.expect("an entry")
            .payload
            .as_ref()
            .unwrap()
            .to_string()
            .contains("the site is down")
    );
}

#[test]
fn a_dry_run_asks_nobody() {
    let host = gated_world(1).start();
    let dry = Submission {
        dry_run: true,
        ..submission("clinic")
    };
    let id = host.submit_with(dry).unwrap().id();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn what_the_plugin_asks_is_answered_over_a_restart_and_no_step_is_repeated() {
    let world = asking_world(1);
    let host = world.start();
    let id = waiting(&host, RunState::Suspended);
    host.kill();
    let host = world.start();
    let seen = digest(&host.run(id));
    host.answer(id, anna(), Some(seen)).unwrap();
    let run = host.run(id);
    assert_eq!((run.state, run.attempt, run.resumed), (RunState::Succeeded, 1, 0));
    assert_eq!(world.stage.effects(), ["stop"]);
}

#[test]
fn the_plugin_learns_of_a_rejection_and_of_silence() {
    for (given, expected) in [(Some(answer("anna", 1, false)), "Rejected"), (None, "Expired")] {
        let world = asking_world(1);
        let host = world.start();
        let id = waiting(&host, RunState::Suspended);
        match given {
            Some(given) => drop(host.answer(id, given, None).unwrap()),
            None => host.advance(HOUR),
        }
        let run = host.run(id);
        assert_eq!(
            (run.state, run.failure.unwrap().message.as_str()),
            (RunState::Failed, expected)
        );
    }
}

#[test]
fn an_answer_to_another_definition_is_void() {
    let mut world = asking_world(1);
    let asks = Act::Ask("release", Box::new(Act::Succeed));
    world.stage.then("restore", asks);
    let host = world.start();
    let id = waiting(&host, RunState::Suspended);
    let before = digest(&host.run(id));
    world.edit(
        [gated(procedure("clinic", "restore"), "release", 2)],
        4,
        Some(&host),
    );
    // It was approved by the rule of before; what is in force now takes two.
    host.answer(id, anna(), Some(before)).unwrap();
    let run = host.run(id);
    assert_eq!(run.state, RunState::Suspended);
    assert_ne!(digest(&run), before);
    let stale = host.answer(id, anna(), Some(before)).unwrap_err();
    assert!(
        matches!(stale, NotAnswered::Refused(AnswerRefused::Changed { .. })),
        "{stale}"
    );
    host.answer(id, anna(), None).unwrap();
    host.answer(id, berta(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn a_start_gate_is_bound_to_the_definition_and_asked_anew_where_that_changes() {
    let mut world = gated_world(1);
    let host = world.start();
    let id = waiting(&host, RunState::WaitingApproval);
    let before = digest(&host.run(id));
    let one = gated(procedure("clinic", "check"), "start", 1);
    let mut without = one.clone();
    without.gates.clear();
    without.revision = Digest::of("without its gate");
    world.edit([without], 4, Some(&host));
    assert_ne!(digest(&host.run(id)), before);
    world.edit([one], 4, Some(&host));
    let before = digest(&host.run(id));
    let two = gated(procedure("clinic", "check"), "start", 2);
    world.edit([two], 4, Some(&host));
    assert_ne!(digest(&host.run(id)), before);
    let stale = host.answer(id, anna(), Some(before)).unwrap_err();
    assert!(
        matches!(stale, NotAnswered::Refused(AnswerRefused::Changed { .. })),
        "{stale}"
    );
    host.answer(id, anna(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::WaitingApproval);
    host.answer(id, berta(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn what_was_approved_is_asked_anew_where_the_definition_changes_before_it_starts() {
    let clinic = || gated(procedure("clinic", "check"), "start", 1);
    let mut world = World::new([clinic(), procedure("other", "backup")]);
    world.stage.then("backup", Act::Block);
    let host = world.start();
    world.edit([clinic(), procedure("other", "backup")], 1, Some(&host));
    let other = host.submit("other").id();
    let id = waiting(&host, RunState::WaitingApproval);
    host.answer(id, anna(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Queued);
    let mut changed = clinic();
    changed.revision = Digest::of("another definition");
    world.edit([changed, procedure("other", "backup")], 1, Some(&host));
    host.cancel(other).unwrap();
    let run = host.run(id);
    assert_eq!((run.state, run.attempt), (RunState::WaitingApproval, 0));
    // It has given its place back, and holds up nobody.
    let next = host.submit("other").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
    host.answer(id, anna(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
    assert_eq!(world.stage.seen().iter().filter(|seen| seen.run == id).count(), 1);
}

#[test]
fn a_tick_that_nobody_lets_start_before_its_deadline_is_missed_and_holds_up_no_later_one() {
    let mut clinic = gated(procedure("clinic", "check"), "start", 1);
    clinic.schedules = every_minute("clinic", "check", |schedule| {
        schedule.deadline = Some(SignedDuration::from_secs(30));
    })
    .schedules;
    let host = World::new([clinic]).start();
    host.advance_secs(89);
    let first = host.runs()[0].clone();
    assert_eq!(first.state, RunState::WaitingApproval);
    host.advance_secs(2);
    let missed = host.run(first.id());
    assert_eq!(missed.state, RunState::Missed);
    let failure = missed.failure.unwrap();
    assert!(
        failure.message.ends_with("nobody had let it start by then"),
        "{failure}"
    );
    let late = host.answer(first.id(), anna(), None).unwrap_err();
    assert!(matches!(late, NotAnswered::NotAsked { .. }), "{late}");
    host.advance_secs(30);
    let next = host.runs()[1].id();
    host.answer(next, anna(), None).unwrap();
    assert_eq!(host.run(next).state, RunState::Succeeded);
}

#[test]
fn whoever_wanted_a_run_does_not_approve_what_follows_on_it() {
    let mut follower = gated(procedure("release", "restore"), "start", 1);
    follower.schedules = every_minute("release", "restore", |schedule| {
        schedule.when = When::After(After {
            procedure: "clinic".parse().unwrap(),
            action: None,
            on: AfterOn::Success,
        });
    })
    .schedules;
    let host = World::new([procedure("clinic", "check"), follower]).start();
    host.submit("clinic");
    let runs = host.runs();
    let mut following = runs
        .iter()
        .filter(|run| run.queued.procedure.as_str() == "release");
    let id = following.next().unwrap().id();
    let own = refused(&host, id, answer(REQUESTER.0, REQUESTER.1, true));
    assert!(matches!(own, AnswerRefused::Requester { .. }), "{own}");
    host.answer(id, anna(), None).unwrap();
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn an_answer_whose_own_answer_is_lost_is_an_answer() {
    let world = asking_world(1);
    let host = world.start();
    let id = waiting(&host, RunState::Suspended);
    host.faults().next("approved", Fault::AnswerLost);
    let lost = host.answer(id, anna(), None).unwrap_err();
    assert!(matches!(lost, NotAnswered::Store(_)), "{lost}");
    host.advance_secs(2);
    assert_eq!(host.run(id).state, RunState::Succeeded);
}

#[test]
fn nobody_answers_by_the_role_of_a_request_what_is_asked_by_another() {
    let mut world = gated_world(1);
    let host = world.start();
    let id = waiting(&host, RunState::WaitingApproval);
    let desk = host.desk();
    let reply = Reply {
        name: None,
        approved: true,
        note: String::new(),
        breaks_glass: false,
        seen: None,
    };
    // The role is looked at before, and the record answers after the definition has changed.
    let held = host.faults().hold("run");
    let replied = host.spawn(async move { Operations::answer(&desk, id, reply).await });
    host.settle();
    let two = gated(procedure("clinic", "check"), "start", 2);
    world.edit([two], 4, Some(&host));
    held.release();
    let refused = host.ended(replied).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Conflict, "{refused}");
    assert_eq!(host.run(id).state, RunState::WaitingApproval);
}

#[test]
fn a_run_is_asked_for_once_under_one_key() {
    let world = World::new([procedure("clinic", "check"), procedure("other", "check")]);
    let host = world.start();
    let keyed = |procedure: &str, dry_run| Submission {
        key: Some("build-7".to_owned()),
        dry_run,
        ..submission(procedure)
    };
    let first = host.submit_with(keyed("clinic", false)).unwrap().id();
    assert_eq!(host.submit_with(keyed("clinic", false)).unwrap().id(), first);
    let refused = host.submit_with(keyed("clinic", true)).unwrap_err();
    assert!(refused.to_string().contains("belongs to run"), "{refused}");
    assert_ne!(host.submit_with(keyed("other", false)).unwrap().id(), first);
    assert_eq!(world.stage.seen().len(), 2);
}
