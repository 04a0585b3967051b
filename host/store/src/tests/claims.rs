//! Tests of claims: each tick is covered once, whoever claims it.

use super::{Scene, at, clinic, invariants, queued};
use crate::SqliteStore;
use sopwith_core::digest::Digest;
use sopwith_core::name::ScheduleName;
use sopwith_core::port::{Claim, Claimed, NoRun, ScheduleRow, Store as _, TickOutcome, TickRange};
use sopwith_core::run::{Queued, Run, RunEvent, RunState, Trigger};
use sopwith_core::schedule::Overlap;

fn tick() -> ScheduleName {
    "tick".parse().unwrap()
}

async fn scheduled(scene: &Scene) -> ScheduleRow {
    let schedules = [(clinic(), tick(), Digest::of("every second"))];
    scene
        .store
        .set_schedules(&schedules, at(0))
        .await
        .unwrap()
        .pop()
        .unwrap()
}

/// A claim on the tick of one second, with a run of this number.
fn claim(seen: &ScheduleRow, second: i64, number: u32) -> Claim {
    let trigger = Trigger::Schedule {
        schedule: tick(),
        nominal_at: at(second),
    };
    Claim {
        seen: seen.clone(),
        cursor: at(second),
        runs: vec![Queued {
            trigger,
            ..queued(number)
        }],
        overlap: Overlap::Forbid,
        ranges: Vec::new(),
        at: at(second),
    }
}

fn missed(first: i64, last: i64) -> TickRange {
    TickRange {
        first: at(first),
        last: at(last),
        count: u64::try_from(last - first + 1).unwrap(),
        reason: NoRun::Downtime,
    }
}

fn overlap(first: i64, last: i64) -> TickRange {
    TickRange {
        reason: NoRun::Overlap,
        ..missed(first, last)
    }
}

fn ran(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::Held { runs, .. } if !runs.is_empty())
}

/// A claim that holds, without runs.
fn nothing() -> Claimed {
    Claimed::Held {
        runs: Vec::new(),
        replaced: Vec::new(),
    }
}

/// What all ticks came to; a run by its second.
async fn ticks(scene: &Scene, from: i64, to: i64) -> Vec<Result<TickRange, i64>> {
    let ticks = scene
        .store
        .ticks(&clinic(), &tick(), at(from), at(to))
        .await
        .unwrap();
    let second = |at: jiff::Timestamp| at.as_second() - super::at(0).as_second();
    ticks
        .into_iter()
        .map(|tick| match tick {
            TickOutcome::Range(range) => Ok(range),
            TickOutcome::Run(run) => Err(second(run.queued.trigger.nominal_at().unwrap())),
        })
        .collect()
}

#[tokio::test]
async fn of_claims_of_two_hosts_on_one_tick_exactly_one_runs() {
    let scene = Scene::new();
    let mut row = scheduled(&scene).await;
    let other = SqliteStore::open(&scene.path()).unwrap();
    for second in 1..=20_u32 {
        let mine = scene.store.claim(claim(&row, i64::from(second), 2 * second));
        let theirs = other.claim(claim(&row, i64::from(second), 2 * second + 1));
        let (mine, theirs) = futures::join!(mine, theirs);
        let claimed = [mine.unwrap(), theirs.unwrap()];
        assert_eq!(
            claimed.iter().filter(|claimed| ran(claimed)).count(),
            1,
            "{claimed:?}"
        );
        assert!(claimed.contains(&Claimed::Refused), "{claimed:?}");
        let run = scene.store.unfinished().await.unwrap().pop().unwrap();
        scene.pass(&run, 100).await;
        row.cursor = at(i64::from(second));
    }
    assert_eq!(ticks(&scene, 0, 20).await, (1..=20).map(Err).collect::<Vec<_>>());
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn a_claim_on_an_edited_schedule_is_refused_and_the_schedule_starts_from_now() {
    let scene = Scene::new();
    let seen = scheduled(&scene).await;
    let edited = [(clinic(), tick(), Digest::of("every minute"))];
    let rows = scene.store.set_schedules(&edited, at(30)).await.unwrap();
    assert_eq!(rows[0].cursor, at(30));
    assert_eq!(
        scene.store.claim(claim(&seen, 1, 1)).await.unwrap(),
        Claimed::Refused
    );
    assert_eq!(
        scene.store.set_schedules(&edited, at(60)).await.unwrap()[0].cursor,
        at(30)
    );
    assert!(scene.store.set_schedules(&[], at(90)).await.unwrap().is_empty());
    assert_eq!(
        scene.store.claim(claim(&rows[0], 31, 1)).await.unwrap(),
        Claimed::Refused
    );
    assert!(scene.store.unfinished().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_long_series_of_skipped_ticks_is_one_row_between_its_neighbours() {
    let scene = Scene::new();
    let mut row = scheduled(&scene).await;
    let mut first = None;
    for second in 1..=30 {
        let held = scene
            .store
            .claim(claim(&row, second, u32::try_from(second).unwrap()))
            .await
            .unwrap();
        row.cursor = at(second);
        match held {
            Claimed::Held { mut runs, .. } if !runs.is_empty() => first = runs.pop(),
            held => assert_eq!(held, nothing()),
        }
        if second == 20 {
            scene.pass(first.as_ref().unwrap(), 20).await;
        }
    }
    assert_eq!(
        ticks(&scene, 0, 99).await,
        [Err(1), Ok(overlap(2, 20)), Err(21), Ok(overlap(22, 30))]
    );
    assert_eq!(ticks(&scene, 5, 6).await, [Ok(overlap(2, 20))]);
    assert_eq!(ticks(&scene, 21, 21).await, [Err(21)]);
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn a_dry_run_and_a_run_of_another_action_hold_no_tick_off() {
    let scene = Scene::new();
    let row = scheduled(&scene).await;
    let dry = Queued {
        dry_run: true,
        ..queued(90)
    };
    let other = Queued {
        action: "repair".parse().unwrap(),
        ..queued(91)
    };
    for queued in [dry, other] {
        scene.store.queue(queued).await.unwrap();
    }
    assert!(ran(&scene.store.claim(claim(&row, 1, 1)).await.unwrap()));
}

#[tokio::test]
async fn ranges_of_one_claim_keep_their_reasons_and_join_what_came_before() {
    let scene = Scene::new();
    let mut row = scheduled(&scene).await;
    let downtime = |seen: &ScheduleRow, range: TickRange| Claim {
        cursor: range.last,
        runs: Vec::new(),
        ranges: vec![range],
        ..claim(seen, 0, 0)
    };
    for (first, last) in [(1, 10), (11, 12)] {
        scene
            .store
            .claim(downtime(&row, missed(first, last)))
            .await
            .unwrap();
        row.cursor = at(last);
    }
    let under_way = scene.queue(80).await;
    let both = Claim {
        ranges: vec![missed(13, 14)],
        ..claim(&row, 15, 15)
    };
    scene.store.claim(both).await.unwrap();
    row.cursor = at(15);
    scene.pass(&under_way, 16).await;
    let caught_up = Claim {
        ranges: vec![missed(16, 17)],
        ..claim(&row, 18, 18)
    };
    scene.store.claim(caught_up).await.unwrap();
    row.cursor = at(18);
    scene.store.claim(downtime(&row, missed(19, 19))).await.unwrap();
    assert_eq!(
        ticks(&scene, 0, 99).await,
        [
            Ok(missed(1, 14)),
            Ok(overlap(15, 15)),
            Ok(missed(16, 17)),
            Err(18),
            Ok(missed(19, 19))
        ]
    );
}

#[tokio::test]
async fn a_clock_that_was_turned_back_repeats_no_run() {
    let scene = Scene::new();
    let row = scheduled(&scene).await;
    let Claimed::Held { runs, .. } = scene.store.claim(claim(&row, 5, 1)).await.unwrap() else {
        panic!("the claim was refused");
    };
    scene.pass(&runs[0], 6).await;
    scene.store.set_schedules(&[], at(7)).await.unwrap();
    let row = scheduled(&scene).await;
    assert_eq!(scene.store.claim(claim(&row, 5, 2)).await.unwrap(), nothing());
    assert_eq!(ticks(&scene, 0, 99).await, [Err(5)]);
}

/// Claims ticks that last for ever, under this rule, and gives the seconds of those that got runs.
async fn claim_under(overlap: Overlap, seconds: std::ops::RangeInclusive<i64>) -> (Scene, Vec<Vec<Run>>) {
    let scene = Scene::new();
    let mut row = scheduled(&scene).await;
    let mut all = Vec::new();
    for second in seconds {
        let wanted = Claim {
            overlap,
            ..claim(&row, second, u32::try_from(second).unwrap())
        };
        let Claimed::Held { runs, replaced } = scene.store.claim(wanted).await.unwrap() else {
            panic!("the claim was refused");
        };
        row.cursor = at(second);
        if let Some(run) = runs.first()
            && second == 1
        {
            let started = RunEvent::AttemptStarted { at: at(second) };
            let actor = sopwith_core::actor::Actor::Host;
            scene
                .store
                .apply(run.id(), run.epoch, started, &actor)
                .await
                .unwrap();
        }
        all.push(replaced);
    }
    (scene, all)
}

#[tokio::test]
async fn queue_one_lets_one_tick_wait() {
    let (scene, _) = claim_under(Overlap::QueueOne, 1..=4).await;
    assert_eq!(ticks(&scene, 0, 9).await, [Err(1), Err(2), Ok(overlap(3, 4))]);
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn allow_lets_so_many_be_under_way() {
    let (scene, _) = claim_under(Overlap::Allow { max: 3 }, 1..=5).await;
    assert_eq!(
        ticks(&scene, 0, 9).await,
        [Err(1), Err(2), Err(3), Ok(overlap(4, 5))]
    );
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn replace_tells_earlier_runs_to_end_and_ends_those_that_wait() {
    let (scene, replaced) = claim_under(Overlap::Replace, 1..=3).await;
    assert_eq!(ticks(&scene, 0, 9).await, [Err(1), Err(2), Err(3)]);
    let states = |runs: &[Run]| runs.iter().map(|run| run.state).collect::<Vec<_>>();
    assert_eq!(states(&replaced[1]), [RunState::Running]);
    // The first one was told before.
    assert_eq!(states(&replaced[2]), [RunState::Cancelled]);
    let failure = replaced[2][0].failure.as_ref().unwrap();
    assert_eq!(failure.extra, [("reason".to_owned(), "replaced".to_owned())]);
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn runs_of_one_claim_do_not_stand_in_each_others_way() {
    let scene = Scene::new();
    let mut row = scheduled(&scene).await;
    let several = |seen: &ScheduleRow, first: i64, last: i64| {
        let runs = (first..=last).flat_map(|second| claim(seen, second, u32::try_from(second).unwrap()).runs);
        Claim {
            runs: runs.collect(),
            ..claim(seen, last, 0)
        }
    };
    scene.store.claim(several(&row, 1, 3)).await.unwrap();
    row.cursor = at(3);
    scene.store.claim(several(&row, 4, 6)).await.unwrap();
    assert_eq!(
        ticks(&scene, 0, 9).await,
        [Err(1), Err(2), Err(3), Ok(overlap(4, 6))]
    );
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn ranges_on_both_sides_of_a_run_stay_apart() {
    let scene = Scene::new();
    let row = scheduled(&scene).await;
    let skipped = |first, last| TickRange {
        reason: NoRun::OutsideWindow,
        ..missed(first, last)
    };
    let caught_up = Claim {
        cursor: at(9),
        ranges: vec![skipped(1, 5), skipped(7, 9)],
        ..claim(&row, 6, 6)
    };
    scene.store.claim(caught_up).await.unwrap();
    assert_eq!(
        ticks(&scene, 0, 99).await,
        [Ok(skipped(1, 5)), Err(6), Ok(skipped(7, 9))]
    );
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn ticks_that_overlap_around_others_are_ranges_of_their_own() {
    let scene = Scene::new();
    let seen = scheduled(&scene).await;
    assert!(ran(&scene.store.claim(claim(&seen, 1, 1)).await.unwrap()));
    let seen = ScheduleRow {
        cursor: at(1),
        ..seen
    };
    let claimed = Claim {
        runs: [(2, 2), (3, 3), (6, 4)]
            .into_iter()
            .flat_map(|(second, number)| claim(&seen, second, number).runs)
            .collect(),
        ranges: vec![missed(4, 5)],
        ..claim(&seen, 6, 5)
    };
    assert_eq!(scene.store.claim(claimed).await.unwrap(), nothing());
    let expected = [Err(1), Ok(overlap(2, 3)), Ok(missed(4, 5)), Ok(overlap(6, 6))];
    assert_eq!(ticks(&scene, 0, 10).await, expected);
}
