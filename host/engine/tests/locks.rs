//! Places and locks: what runs at the same time.

use crate::support::{Act, Host, World, often_at_once, procedure, using_app};
use sopwith_core::grant::Access;
use sopwith_core::procedure::Procedure;
use sopwith_core::run::RunState;
use std::time::Duration;

fn work() -> Act {
    Act::Work(Duration::from_secs(10))
}

fn procedures(access_of_restore: &Access) -> [Procedure; 2] {
    [
        using_app(often_at_once(procedure("backup", "backup")), &Access::Read),
        using_app(procedure("restore", "restore"), access_of_restore),
    ]
}

/// Submits in this order, and counts who was under way in each ten seconds.
fn check(access_of_restore: &Access, order: &[&str], expected: &[usize]) {
    let world = World::new(procedures(access_of_restore));
    for name in order {
        world.stage.then(name, work());
    }
    let host = world.start();
    for name in order {
        host.submit(name);
    }
    let running = |host: &Host| {
        let runs = host.runs();
        runs.iter().filter(|run| run.state == RunState::Running).count()
    };
    let mut counts = Vec::new();
    for _ in expected {
        counts.push(running(&host));
        host.advance_secs(10);
    }
    assert_eq!(counts, expected, "{order:?}");
    assert_eq!(world.stage.violations(), [] as [String; 0]);
    assert!(host.runs().iter().all(|run| run.state == RunState::Succeeded));
}

#[test]
fn readers_of_a_database_run_together() {
    check(&Access::Read, &["backup", "restore", "backup"], &[3]);
}

#[test]
fn a_restore_and_a_backup_of_one_database_never_meet() {
    check(
        &Access::Replace,
        &["backup", "backup", "restore", "backup"],
        &[2, 1, 1],
    );
}

#[test]
fn no_more_run_at_once_than_there_are_places() {
    let order = ["backup"; 7];
    check(&Access::Read, &order, &[4, 3]);
}

#[test]
fn a_reload_that_asks_for_more_of_a_database_locks_it_for_those_who_wait() {
    let mut world = World::new([]);
    world.edit(procedures(&Access::Read), 1, None);
    world.stage.then("backup", work());
    world.stage.then("restore", work());
    let host = world.start();
    host.submit("backup");
    let restore = host.submit("restore").id();
    // By the old definition it would get its place beside the backup.
    world.edit(procedures(&Access::Replace), 2, Some(&host));
    assert_eq!(host.run(restore).state, RunState::Queued);
    host.advance_secs(10);
    assert_eq!(host.run(restore).state, RunState::Running);
    assert_eq!(world.stage.violations(), [] as [String; 0]);
}

#[test]
fn more_places_are_used_at_once() {
    let mut world = World::new([]);
    world.edit(procedures(&Access::Read), 1, None);
    world.stage.then("backup", work());
    let host = world.start();
    host.submit("backup");
    let second = host.submit("backup").id();
    assert_eq!(host.run(second).state, RunState::Queued);
    world.edit(procedures(&Access::Read), 2, Some(&host));
    assert_eq!(host.run(second).state, RunState::Succeeded);
    assert_eq!(world.stage.present_max(), 2);
}
