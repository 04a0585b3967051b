//! Code of the host that panics in the middle of an attempt.

use crate::support::{Act, Fault, World, procedure};
use sopwith_core::failure::Blame;
use sopwith_core::port::Clock as _;
use sopwith_core::run::RunState;
use std::time::Duration;

/// One place and one lock; a run whose attempt panics gives both back.
fn check(act: Act, panic_at: Option<&'static str>) {
    let mut world = World::new([]);
    let mut clinic = procedure("clinic", "backup");
    clinic.locks = Some(["deploy".parse().unwrap()].into());
    world.edit([clinic], 1, None);
    world.stage.then("backup", act);
    let host = world.start();
    if let Some(call) = panic_at {
        host.faults().next(call, Fault::Panic);
    }
    let id = host.submit("clinic").id();
    let engine = host.engine.clone();
    let waiting = host.spawn(async move { engine.wait(id, false).await });
    let run = host.ended(waiting).unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.failure.unwrap().blame, Blame::Host);
    assert!(world.stage.leftovers().is_empty(), "the run has not cleared up");
    let next = host.submit("clinic").id();
    assert_eq!(host.run(next).state, RunState::Succeeded);
    host.shut_down(Duration::from_secs(30));
    assert_eq!(world.clock.monotonic(), Duration::ZERO);
}

#[test]
fn a_panic_in_a_plugin_fails_the_run_and_frees_its_place() {
    check(Act::Panic, None);
}

#[test]
fn a_panic_in_the_engine_fails_the_run_and_frees_its_place() {
    check(Act::Succeed, Some("succeeded"));
    check(Act::Succeed, Some("previous_success"));
}
