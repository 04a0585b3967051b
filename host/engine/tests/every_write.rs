//! Whole lives of runs that wait, ask and call, with one thing gone wrong around each call of the record in turn.

use crate::invariants::check_all;
use crate::support::{Act, Fault, Host, World, calling, gated, procedure, retried, scheduled};
use jiff::SignedDuration;
use sopwith_core::actor::Actor;
use sopwith_core::approval::Answer;
use sopwith_core::failure::Blame;
use sopwith_core::port::Clock as _;
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Run, RunState};
use sopwith_core::schedule::CatchUp::Latest;
use std::time::Duration;

/// A tick whose run people have to let start, which takes a step, waits, asks, and calls another that waits, too.
fn procedures() -> [Procedure; 2] {
    let nightly = gated(scheduled("nightly", "restore", "0 * * * *", Latest), "start", 1);
    let nightly = retried(gated(calling(nightly, "clinic"), "release", 1), 1);
    [nightly, procedure("clinic", "backup")]
}

/// More calls of a plugin than any of these lives has.
const CALLS: usize = 20;

fn world() -> World {
    let world = World::new(procedures());
    world.clock.turn(SignedDuration::from_mins(59));
    let waits = |seconds, then| Act::SuspendFor(Duration::from_secs(seconds), Box::new(then));
    let calls = Act::Call("clinic", Box::new(Act::Succeed));
    let asks = Act::Ask("release", Box::new(calls));
    for _ in 0..CALLS {
        let restore = Act::Steps(&["dump"], Box::new(waits(60, asks.clone())));
        world.stage.then("restore", restore);
        let backup = Act::Steps(&["copy"], Box::new(waits(30, Act::Succeed)));
        world.stage.then("backup", backup);
    }
    world
}

/// Says yes to whatever is asked; who dies with that does not come back.
fn approve(host: &Host) {
    let asked = |run: &Run| run.open_request().is_some();
    for run in host.runs().into_iter().filter(asked) {
        let engine = host.engine.clone();
        let answer = Answer {
            by: Actor::User {
                name: "anna".to_owned(),
                uid: 1,
            },
            approved: true,
            note: String::new(),
            breaks_glass: false,
        };
        host.spawn(async move { engine.answer(run.id(), None, answer, None).await });
        host.settle();
    }
}

/// Some minutes, in which hosts that died are started again: the last one, how many there were, and the calls
/// of the record in a life of one.
fn live(world: &World, wrong: Option<(usize, Fault)>) -> (Host, usize, usize) {
    let mut host = world.start();
    let before = host.faults().calls();
    if let Some((calls, fault)) = wrong {
        host.faults().any(calls, fault);
    }
    let mut hosts = 1;
    for _ in 0..20 {
        host.advance_secs(20);
        if !host.faults().is_dead() {
            approve(&host);
        }
        if host.faults().is_dead() {
            host.kill();
            host = world.start();
            hosts += 1;
        }
    }
    let calls = host.faults().calls().saturating_sub(before);
    host.faults().clear();
    (host, hosts, calls)
}

fn check(wrong: Option<(usize, Fault)>) -> (usize, usize) {
    let world = world();
    let since = world.clock.now();
    let (host, hosts, calls) = live(&world, wrong);
    check_all(&world, &host, since, &procedures());
    let runs = host.runs();
    for run in &runs {
        // What had finished no step may not simply be started again, and what cannot read the record fails.
        let is_hosts = run
            .failure
            .as_ref()
            .is_some_and(|failure| failure.blame == Blame::Host);
        let is_fair = match run.state {
            RunState::Succeeded => true,
            RunState::Lost => is_hosts && hosts > 1,
            RunState::Failed => is_hosts && hosts == 1 && wrong.is_some(),
            _ => false,
        };
        let name = &run.queued.procedure;
        assert!(is_fair, "{wrong:?}: {name} is {}: {:?}", run.state, run.failure);
    }
    let of = |name| {
        runs.iter()
            .filter(move |run| run.queued.procedure.as_str() == name)
    };
    assert_eq!(of("nightly").count(), 1, "{wrong:?}");
    let passed = of("clinic").filter(|run| run.passed()).count();
    let called = usize::from(of("nightly").all(Run::passed));
    assert_eq!(passed, called, "{wrong:?}");
    (calls, hosts)
}

fn go_wrong_everywhere(fault: Fault) -> (usize, usize) {
    let (calls, _) = check(None);
    let hosts = (0..calls).map(|at| check(Some((at, fault))).1);
    (calls, hosts.sum())
}

fn die_everywhere(death: Fault) {
    let (calls, hosts) = go_wrong_everywhere(death);
    assert_eq!(hosts, 2 * calls, "each of {calls} calls has one death");
}

#[test]
fn a_death_before_any_call_of_the_record_leaves_each_run_its_one_end() {
    die_everywhere(Fault::DeathBefore);
}

#[test]
fn a_death_after_any_call_of_the_record_leaves_each_run_its_one_end() {
    die_everywhere(Fault::DeathAfter);
}

#[test]
fn any_call_of_the_record_may_be_refused() {
    go_wrong_everywhere(Fault::Broken);
}

#[test]
fn the_answer_to_any_call_of_the_record_may_be_lost() {
    go_wrong_everywhere(Fault::AnswerLost);
}
