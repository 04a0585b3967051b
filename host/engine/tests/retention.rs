//! History that is kept for as long as the operator says, in virtual time.

use crate::support::{Fault, Host, World, procedure, scheduled};
use sopwith_core::port::Clock as _;
use sopwith_core::procedure::Procedure;
use sopwith_core::retention::Retention;
use sopwith_core::schedule::CatchUp;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

fn hourly(retention: Retention) -> Procedure {
    Procedure {
        retention,
        ..scheduled("hourly", "check", "0 * * * *", CatchUp::Latest)
    }
}

fn host(world: &World) -> Host {
    let host = world.start();
    host.prune_history();
    host
}

#[test]
fn runs_go_when_they_are_too_old() {
    let retention = Retention {
        keep: 3 * HOUR,
        ..Retention::default()
    };
    let world = World::new([hourly(retention)]);
    let host = host(&world);
    host.advance(8 * HOUR);
    let runs = host.runs().len();
    assert!((3..=5).contains(&runs), "{runs}");
    host.kill();
}

#[test]
fn runs_go_when_they_are_too_many_and_those_of_others_stay() {
    let retention = Retention {
        keep_runs: 3,
        ..Retention::default()
    };
    let world = World::new([hourly(retention), procedure("by-hand", "check")]);
    let host = host(&world);
    let by_hand = host.submit("by-hand");
    host.advance(8 * HOUR);
    let runs = host.runs();
    let of_hourly = runs
        .iter()
        .filter(|run| run.queued.procedure.as_str() == "hourly")
        .count();
    assert!((3..=4).contains(&of_hourly), "{of_hourly}");
    assert!(runs.iter().any(|run| run.id() == by_hand.id()));
    host.kill();
}

#[test]
fn a_procedure_that_is_gone_is_kept_as_the_host_says_and_its_newest_run_for_ever() {
    let mut world = World::new([hourly(Retention::default())]);
    let first = world.start();
    first.advance(5 * HOUR);
    assert_eq!(first.runs().len(), 5);
    first.kill();
    world.edit([], 4, None);
    for (days, left) in [(399, 5), (2, 1)] {
        world.clock.go_to(world.clock.monotonic() + days * 24 * HOUR);
        let host = host(&world);
        host.advance(Duration::from_mins(2));
        assert_eq!(host.runs().len(), left, "{days} days later");
        host.kill();
    }
}

#[test]
fn a_record_that_breaks_meanwhile_is_tried_again() {
    let retention = Retention {
        keep_runs: 1,
        ..Retention::default()
    };
    let world = World::new([hourly(retention)]);
    let host = world.start();
    host.advance(5 * HOUR);
    host.faults().next("prune", Fault::Broken);
    host.prune_history();
    host.advance(Duration::from_mins(2));
    assert!(host.runs().len() >= 5);
    host.advance(HOUR);
    assert!(host.runs().len() <= 2);
    host.kill();
}
