//! Tests of how runs are found.

use super::{Scene, at, clinic, failed, id, queued};
use crate::search;
use rusqlite::Connection;
use sopwith_core::port::{RunFilter, Store as _};
use sopwith_core::run::{AttemptEnd, Queued, RunEvent, RunState, Verdict};

/// Six runs: of `clinic` 1 and 4 passed, 2 failed, 3 is queued; of `archive` 5 is queued and 6 passed.
async fn history() -> Scene {
    let scene = Scene::new();
    for number in 1..=6 {
        let procedure = if number < 5 {
            clinic()
        } else {
            "archive".parse().unwrap()
        };
        let run = scene
            .store
            .queue(Queued {
                procedure,
                ..queued(number)
            })
            .await
            .unwrap();
        match number {
            1 | 4 | 6 => drop(scene.pass(&run, 50).await),
            2 => {
                let run = scene
                    .apply(&run, RunEvent::AttemptStarted { at: at(9) })
                    .await
                    .unwrap();
                scene.apply(&run, failed(10, AttemptEnd::Failed)).await.unwrap();
            }
            _ => {}
        }
    }
    scene
}

fn filters() -> Vec<(RunFilter, &'static [u32])> {
    let all = RunFilter::default;
    let clinic = || RunFilter {
        procedure: Some(clinic()),
        ..all()
    };
    vec![
        (all(), &[6, 5, 4, 3, 2, 1]),
        (
            RunFilter {
                limit: Some(2),
                ..all()
            },
            &[6, 5],
        ),
        (clinic(), &[4, 3, 2, 1]),
        (
            RunFilter {
                action: Some("repair".parse().unwrap()),
                ..clinic()
            },
            &[],
        ),
        (
            RunFilter {
                action: Some(super::check()),
                ..clinic()
            },
            &[4, 3, 2, 1],
        ),
        (
            RunFilter {
                states: vec![RunState::Queued, RunState::Failed, RunState::Queued],
                ..all()
            },
            &[5, 3, 2],
        ),
        (
            RunFilter {
                states: vec![RunState::Succeeded, RunState::Failed],
                limit: Some(2),
                ..clinic()
            },
            &[4, 2],
        ),
        (
            RunFilter {
                verdict: Some(Verdict::Ok),
                ..all()
            },
            &[6, 4, 1],
        ),
        (
            RunFilter {
                verdict: Some(Verdict::Critical),
                ..all()
            },
            &[],
        ),
        (
            RunFilter {
                since: Some(at(2)),
                until: Some(at(4)),
                ..all()
            },
            &[3, 2],
        ),
    ]
}

#[tokio::test]
async fn every_field_of_a_filter_narrows_and_the_newest_come_first() {
    let scene = history().await;
    for (filter, expected) in filters() {
        let found = scene.store.runs(&filter).await.unwrap();
        let found: Vec<_> = found.iter().map(sopwith_core::run::Run::id).collect();
        let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn no_filter_reads_the_whole_history_or_sorts_it() {
    let scene = history().await;
    let connection = Connection::open(scene.path()).unwrap();
    for (filter, _) in filters() {
        for state in [None, Some(RunState::Failed)] {
            let (sql, values) = search::newest_sql(&filter, state, 10);
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let plan = explain
                .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
                .unwrap();
            let plan: String = plan.collect::<Result<Vec<String>, _>>().unwrap().join("; ");
            assert!(
                plan.contains("INDEX run_by") && !plan.contains("TEMP B-TREE"),
                "{sql}: {plan}"
            );
        }
    }
}

#[tokio::test]
async fn an_id_is_known_by_its_beginning_and_by_its_end() {
    let scene = history().await;
    let like = async |text: &str| scene.store.runs_like(text).await.unwrap().len();
    let id = id(4).to_string();
    assert_eq!(like(&id).await, 1);
    assert_eq!(like(&id[20..]).await, 1);
    assert_eq!(like(&id[20..].to_uppercase()).await, 1);
    assert_eq!(like(&id[..6]).await, 6);
    assert_eq!((like("%").await, like("nobody").await), (0, 0));
}

#[tokio::test]
async fn unfinished_runs_come_oldest_first() {
    let scene = history().await;
    let runs = scene.store.unfinished().await.unwrap();
    assert_eq!(
        runs.iter().map(sopwith_core::run::Run::id).collect::<Vec<_>>(),
        [id(3), id(5)]
    );
}
