//! Tests of how old history goes, and of what stays.

use super::{Scene, at, check, clinic, entry, failed, finding, id, log, queued};
use crate::pruning::PARTS;
use rusqlite::Connection;
use sopwith_core::digest::Digest;
use sopwith_core::journal::Note;
use sopwith_core::port::{
    Attachment, Claim, NoRun, Place, Portion, Pruned, Pruning as _, RunFilter, Store as _, TickRange,
};
use sopwith_core::run::{AttemptEnd, Queued, Run, RunEvent, RunState, Trigger};
use sopwith_core::schedule::Overlap;

impl Scene {
    /// Takes away all that was queued before this second, portion by portion.
    async fn prune(&self, second: i64) -> Pruned {
        let place = Place {
            queued_at: at(second),
            id: None,
        };
        self.prune_before(place).await
    }

    async fn prune_before(&self, before: Place) -> Pruned {
        let mut portion = Portion {
            procedure: clinic(),
            after: None,
            before,
            now: at(9_000_000),
        };
        let mut all = Pruned::default();
        loop {
            let pruned = self.store.prune(portion.clone()).await.unwrap();
            all.runs += pruned.runs;
            all.ranges += pruned.ranges;
            if pruned.next.is_none() {
                return all;
            }
            portion.after = pruned.next;
        }
    }

    /// The numbers of the runs that are left.
    async fn left(&self) -> Vec<u32> {
        let runs = self.store.runs(&RunFilter::default()).await.unwrap();
        let ids: Vec<_> = runs.iter().map(Run::id).collect();
        (1..=100).filter(|number| ids.contains(&id(*number))).collect()
    }

    async fn fail(&self, run: &Run) {
        let started = RunEvent::AttemptStarted { at: at(1) };
        let run = self.apply(run, started).await.unwrap();
        self.apply(&run, failed(2, AttemptEnd::Failed)).await.unwrap();
    }

    /// A run that passes and adds these findings, of a check that it carries out to its end.
    async fn find(&self, number: u32, subjects: &[&str]) {
        let run = self.queue(number).await;
        let notes = subjects
            .iter()
            .map(|subject| Note::Finding(finding("pages", subject)));
        let checked = Note::Checked {
            check: "pages".to_owned(),
            subjects: 2,
        };
        let entries = notes.chain([checked]).map(|note| entry(i64::from(number), note));
        self.store.record(run.id(), entries.collect()).await.unwrap();
        self.pass(&run, i64::from(number)).await;
    }

    fn count(&self, table: &str) -> u64 {
        let connection = Connection::open(self.path()).unwrap();
        let count = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        count.unwrap()
    }
}

#[tokio::test]
async fn what_is_old_goes_with_all_that_belongs_to_it() {
    let scene = Scene::new();
    for number in 1..=100 {
        let run = scene.queue(number).await;
        scene
            .store
            .record(run.id(), vec![log("a"), log("b")])
            .await
            .unwrap();
        let attachment = Attachment {
            name: "evidence".to_owned(),
            media_type: "text/plain".to_owned(),
            content: vec![1; 9],
        };
        scene.store.attach(run.id(), attachment, log("c")).await.unwrap();
        scene.pass(&run, i64::from(number)).await;
    }
    let pruned = scene.prune(91).await;
    assert_eq!((pruned.runs, pruned.ranges), (90, 0));
    assert_eq!(scene.left().await, (91..=100).collect::<Vec<_>>());
    assert_eq!(scene.count("event"), 30);
    assert_eq!(scene.count("journal"), 30);
    assert_eq!(scene.count("attachment"), 10);
    assert_eq!(scene.prune(91).await.runs, 0);
    let entries = scene.store.audit_entries(0, 10_000).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .filter(|kept| kept.entry.action == "history.pruned")
        .collect();
    let runs = told
        .iter()
        .map(|kept| kept.payload.as_ref().unwrap()["runs"].as_u64().unwrap());
    assert_eq!(runs.sum::<u64>(), 90);
    assert!(told.len() < 10, "one entry for each transaction");
    let history = scene.store.grant_history(&clinic()).await.unwrap();
    assert_eq!(history.since, Some(at(1)), "sums are of what went, too");
}

#[tokio::test]
async fn the_newest_and_the_newest_that_passed_stay() {
    let scene = Scene::new();
    for number in 1..=6 {
        let run = scene.queue(number).await;
        if number == 3 {
            scene.pass(&run, 3).await;
        } else {
            scene.fail(&run).await;
        }
    }
    let repair = Queued {
        action: "repair".parse().unwrap(),
        ..queued(7)
    };
    scene.fail(&scene.store.queue(repair).await.unwrap()).await;
    // A dry run counts for nothing: it keeps no other from being the newest, and is not kept itself.
    let dry = Queued {
        dry_run: true,
        ..queued(8)
    };
    let dry = scene.store.queue(dry).await.unwrap();
    scene.fail(&dry).await;
    scene.prune(1_000).await;
    assert_eq!(scene.left().await, [3, 6, 7]);
    let last = scene.store.previous_success(&clinic(), &check()).await.unwrap();
    assert_eq!(last, Some(at(3)));
}

#[tokio::test]
async fn what_has_not_ended_stays() {
    let scene = Scene::new();
    scene.queue(1).await;
    let running = scene.queue(2).await;
    let started = RunEvent::AttemptStarted { at: at(3) };
    assert_eq!(
        scene.apply(&running, started).await.unwrap().state,
        RunState::Running
    );
    for number in 3..=5 {
        let run = scene.queue(number).await;
        scene.pass(&run, i64::from(number)).await;
    }
    assert_eq!(scene.prune(1_000).await.runs, 2);
    assert_eq!(scene.left().await, [1, 2, 5]);
}

#[tokio::test]
async fn runs_of_findings_stay_as_long_as_these_are_of_use() {
    let scene = Scene::new();
    scene.find(1, &["open", "mended"]).await;
    scene.find(2, &["open", "mended"]).await;
    scene.find(3, &["open"]).await;
    scene.find(4, &["open"]).await;
    scene.find(5, &["open"]).await;
    // The third run resolved one of them: it goes, and what was found with it.
    assert_eq!(scene.prune(5).await.runs, 2);
    assert_eq!(scene.left().await, [1, 2, 5]);
    // Now the second is of no use any more; the first is where the open one was seen first.
    assert_eq!(scene.prune(5).await.runs, 1);
    assert_eq!(scene.left().await, [1, 5]);
    let open = scene.store.open_findings(&clinic(), None).await.unwrap();
    assert_eq!((open.len(), open[0].times_seen), (1, 5));
    scene.find(6, &[]).await;
    assert_eq!(
        scene.prune(6).await.runs,
        0,
        "it is kept as long as the run that resolved the finding"
    );
    scene.find(7, &[]).await;
    scene.prune(7).await;
    scene.prune(7).await;
    assert_eq!(scene.left().await, [7]);
    assert_eq!(scene.count("finding"), 0);
}

#[tokio::test]
async fn more_than_are_kept_go_however_young_they_are() {
    let scene = Scene::new();
    for number in 1..=50 {
        let run = scene.queue(number).await;
        scene.pass(&run, i64::from(number)).await;
    }
    let kept_from = scene.store.kept_from(&clinic(), at(0), 20).await.unwrap();
    assert_eq!(kept_from.id, Some(id(31)));
    assert_eq!(scene.prune_before(kept_from).await.runs, 30);
    assert_eq!(scene.left().await, (31..=50).collect::<Vec<_>>());
    let by_age = scene.store.kept_from(&clinic(), at(40), 20).await.unwrap();
    assert_eq!((by_age.queued_at, by_age.id), (at(40), None));
    let names = scene.store.recorded_procedures().await.unwrap();
    assert_eq!(names, [clinic()]);
}

#[tokio::test]
async fn a_long_record_goes_in_several_transactions() {
    let scene = Scene::new();
    for number in 1..=3 {
        let run = scene.queue(number).await;
        for _ in 0..5 {
            scene.store.record(run.id(), vec![log("a"); 1_000]).await.unwrap();
        }
        scene.pass(&run, i64::from(number)).await;
    }
    assert_eq!(scene.prune(3).await.runs, 2);
    assert_eq!(scene.count("journal"), 5_000);
}

#[tokio::test]
async fn ranges_of_ticks_go_likewise_but_for_the_newest_and_its_run() {
    let scene = Scene::new();
    let tick = "tick".parse().unwrap();
    let schedules = [(clinic(), tick, Digest::of("every second"))];
    let mut seen = scene
        .store
        .set_schedules(&schedules, at(0))
        .await
        .unwrap()
        .pop()
        .unwrap();
    for number in 1..=5_u32 {
        let second = i64::from(number) * 10;
        let range = TickRange {
            first: at(second - 9),
            last: at(second - 1),
            count: 9,
            reason: NoRun::Downtime,
        };
        let trigger = Trigger::Schedule {
            schedule: seen.schedule.clone(),
            nominal_at: at(second),
        };
        let claim = Claim {
            seen: seen.clone(),
            cursor: at(second),
            runs: vec![Queued {
                trigger,
                ..queued(number * 10)
            }],
            overlap: Overlap::Forbid,
            ranges: vec![range],
            at: at(second),
        };
        scene.store.claim(claim).await.unwrap();
        seen.cursor = at(second);
        let run = scene.store.run(id(number * 10)).await.unwrap().unwrap();
        scene.fail(&run).await;
    }
    // A younger run by hand is the newest of its action; that of the newest tick stays beside it.
    let by_hand = scene.queue(60).await;
    scene.fail(&by_hand).await;
    let pruned = scene.prune(1_000).await;
    assert_eq!((pruned.runs, pruned.ranges), (4, 4));
    assert_eq!(scene.left().await, [50, 60]);
    let (procedure, schedule) = (clinic(), seen.schedule);
    let ticks = scene.store.ticks(&procedure, &schedule, at(0), at(1_000));
    assert_eq!(ticks.await.unwrap().len(), 2);
}

#[test]
fn every_table_that_names_a_run_is_thought_of() {
    let schema = include_str!("../schema.sql");
    let mut table = "";
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.split(' ').next().unwrap();
        }
        if line.contains("REFERENCES run (id)") {
            let is_part = PARTS.iter().any(|(part, _)| *part == table);
            assert!(
                // Runs that are open findings, or that are owed something, stay.
                is_part || ["finding", "owed"].contains(&table),
                "runs of `{table}` cannot be taken away"
            );
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_each_run_is_found_by_an_index() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    scene
        .apply(&run, RunEvent::AttemptStarted { at: at(1) })
        .await
        .unwrap();
    let connection = Connection::open(scene.path()).unwrap();
    for sql in [
        "DELETE FROM finding WHERE resolved_by = '1'",
        "SELECT 1 FROM finding WHERE first_run = '1' AND resolved_by IS NOT '1'",
        "SELECT 1 FROM finding WHERE last_run = '1' AND resolved_by IS NOT '1'",
        "SELECT 1 FROM run WHERE procedure = 'a' AND action = 'b' AND (queued_at, id) > ('c', 'd') AND dry_run = 0",
        "SELECT 1 FROM run WHERE procedure = 'a' AND schedule = 'b' AND nominal_at > 'c'",
        "SELECT min(procedure) FROM run WHERE procedure > 'a'",
    ] {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan = explain.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let plan = plan.collect::<Result<Vec<_>, _>>().unwrap().join("; ");
        assert!(plan.contains("INDEX") && !plan.contains("SCAN"), "{sql}: {plan}");
    }
}
