//! Ticks: each is covered by exactly one row, and each run happens once.

use crate::support::{Act, Host, World, procedure, scheduled, told};
use jiff::SignedDuration;
use sopwith_core::port::operations::Operations as _;
use sopwith_core::port::{Claim, Claimed, Clock as _, NoRun, Store as _, TickRange};
use sopwith_core::schedule::CatchUp::{self, Latest};
use sopwith_core::schedule::Overlap;
use std::time::Duration;

const MONTH: Duration = Duration::from_hours(30 * 24);

fn every_minute(catch_up: CatchUp) -> World {
    World::new([scheduled("clinic", "check", "* * * * *", catch_up)])
}

fn check(host: &Host, expected: &[&str]) {
    assert_eq!(told(&host.ticks("clinic")), expected);
}

#[test]
fn a_tick_runs_once_with_its_instant() {
    let world = every_minute(Latest);
    let start = world.clock.now();
    let host = world.start();
    host.advance_secs(150);
    check(&host, &["1 succeeded", "2 succeeded"]);
    let nominal: Vec<_> = world.stage.seen().iter().map(|seen| seen.nominal_at).collect();
    let minutes = |count| Some(start + SignedDuration::from_mins(count));
    assert_eq!(nominal, [minutes(1), minutes(2)]);
}

#[test]
fn a_month_of_downtime_comes_to_one_run_and_one_range() {
    let world = every_minute(Latest);
    world.start().kill();
    world.clock.go_to(MONTH);
    let host = world.start();
    check(&host, &["1..43199 missed(downtime)", "43200 succeeded"]);
}

#[test]
fn without_catch_up_a_month_of_downtime_comes_to_one_range() {
    let world = every_minute(CatchUp::None);
    world.start().kill();
    world.clock.go_to(MONTH + Duration::from_secs(30));
    let host = world.start();
    check(&host, &["1..43200 missed(downtime)"]);
    host.advance_secs(30);
    check(&host, &["1..43200 missed(downtime)", "43201 succeeded"]);
}

/// A machine that sleeps, or whose clock is turned on, while its host is up.
fn after_a_jump(catch_up: CatchUp, expected: &[&str]) {
    let world = every_minute(catch_up);
    let host = world.start();
    host.advance_secs(61);
    world.clock.turn(SignedDuration::from_mins(10));
    host.advance_secs(1);
    check(&host, expected);
}

#[test]
fn a_clock_that_jumps_ahead_leaves_one_range() {
    after_a_jump(Latest, &["1 succeeded", "2..10 missed(downtime)", "11 succeeded"]);
}

#[test]
fn without_catch_up_nothing_runs_late_after_the_clock_jumped_ahead() {
    after_a_jump(CatchUp::None, &["1 succeeded", "2..11 missed(downtime)"]);
}

#[test]
fn nothing_fires_again_when_the_clock_is_turned_back() {
    let world = every_minute(Latest);
    let host = world.start();
    host.advance_secs(125);
    world.clock.turn(-SignedDuration::from_mins(2));
    host.advance_secs(115);
    check(&host, &["1 succeeded", "2 succeeded"]);
    host.advance_secs(5);
    host.kill();
    world.clock.turn(-SignedDuration::from_mins(1));
    let host = world.start();
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2 succeeded"]);
    host.advance_secs(60);
    check(&host, &["1 succeeded", "2 succeeded", "3 succeeded"]);
}

#[test]
fn ticks_that_meet_the_run_before_them_are_skipped() {
    let world = every_minute(Latest);
    world.stage.then("check", Act::Work(Duration::from_secs(119)));
    let host = world.start();
    host.advance_secs(185);
    check(&host, &["1 succeeded", "2..2 skipped(overlap)", "3 succeeded"]);
}

#[test]
fn an_edited_schedule_starts_from_now() {
    let mut world = every_minute(Latest);
    let host = world.start();
    host.advance_secs(60);
    // The instants 0, 2, 4 of the new line that lie behind are not fired.
    let edited = || [scheduled("clinic", "check", "*/2 * * * *", Latest)];
    world.edit(edited(), 4, Some(&host));
    host.advance_secs(180);
    check(&host, &["1 succeeded", "2 succeeded", "4 succeeded"]);
    host.kill();
    world.clock.turn(SignedDuration::from_hours(1));
    world.edit([scheduled("clinic", "check", "*/3 * * * *", Latest)], 4, None);
    let host = world.start();
    check(&host, &["1 succeeded", "2 succeeded", "4 succeeded"]);
    host.advance_secs(150);
    assert_eq!(told(&host.ticks("clinic")).last().unwrap(), "66 succeeded");
}

#[test]
fn an_edit_of_anything_else_loses_no_tick() {
    let mut world = every_minute(Latest);
    let host = world.start();
    host.advance_secs(60);
    host.kill();
    let other = procedure("other", "check");
    world.edit(
        [scheduled("clinic", "check", "* * * * *", CatchUp::None), other],
        2,
        None,
    );
    world.clock.turn(SignedDuration::from_secs(200));
    let host = world.start();
    check(&host, &["1 succeeded", "2..4 missed(downtime)"]);
}

#[test]
fn the_newest_ticks_are_told_however_long_the_history_is() {
    let world = every_minute(Latest);
    let host = world.start();
    let mut rows = host.ask(host.record().schedules());
    let minutes = |count| world.clock.now() + SignedDuration::from_mins(count);
    // Ranges of the same reason would become one.
    let ranges = (1..2_500).map(|count| TickRange {
        first: minutes(count),
        last: minutes(count),
        count: 1,
        reason: [NoRun::Overlap, NoRun::Downtime][usize::from(count % 2 == 0)],
    });
    let claim = Claim {
        seen: rows.remove(0),
        cursor: minutes(2_499),
        runs: Vec::new(),
        overlap: Overlap::Forbid,
        ranges: ranges.collect(),
        at: minutes(2_499),
    };
    assert!(matches!(
        host.ask(host.record().claim(claim)),
        Claimed::Held { .. }
    ));
    world.clock.turn(SignedDuration::from_mins(9_000));
    let desk = host.desk();
    let explained = host.ask(desk.why("clinic".parse().unwrap(), None));
    assert_eq!(explained[0].ticks.len(), 10);
    assert_eq!(told(&explained[0].ticks)[9], "2499..2499 skipped(overlap)");
    let at = Some(minutes(1_000 - 9_000));
    let explained = host.ask(desk.why("clinic".parse().unwrap(), at));
    let minutes = [
        "999..999 skipped(overlap)",
        "1000..1000 missed(downtime)",
        "1001..1001 skipped(overlap)",
    ];
    assert_eq!(told(&explained[0].ticks), minutes);
}
