//! A disk that is full: nothing is half written, and all goes on when there is room again.

use super::operations::{Worker, block_on, operation};
use super::{Scene, invariants, log};
use crate::fault::Outcome;
use proptest::prelude::*;
use rusqlite::Connection;
use sopwith_core::port::{Store as _, StoreError};

/// Lets the database grow by so many pages and no more.
async fn leave_room(scene: &Scene, pages: u32) {
    let limit = move |connection: &Connection| -> Outcome<()> {
        let used: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let max = used.saturating_add(pages);
        connection.pragma_update_and_check(None, "max_page_count", max, |_| Ok(()))?;
        Ok(())
    };
    scene.store.writer.write(limit).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_breaks_writes_and_not_the_history() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    leave_room(&scene, 0).await;
    let line = "x".repeat(100_000);
    let refused = scene.store.record(run, vec![log("small"), log(&line)]).await;
    let Err(StoreError::Broken(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("full"), "{why}");
    assert!(scene.store.journal(run, 0, 10).await.unwrap().is_empty());
    let before = invariants::hold(&scene).await;
    leave_room(&scene, 1_000).await;
    scene.store.record(run, vec![log(&line)]).await.unwrap();
    scene.queue(2).await;
    assert_eq!(invariants::hold(&scene).await.seq, before.seq + 1);
}

#[tokio::test]
async fn lines_that_a_full_disk_swallowed_are_counted_when_there_is_room_again() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    leave_room(&scene, 0).await;
    scene
        .store
        .record_soon(run, vec![log(&"x".repeat(100_000)), log("b")]);
    // Whatever comes after it finds the lines dropped, and no room to say so or just enough.
    let _ = scene.store.record(run, vec![log(&"x".repeat(100_000))]).await;
    leave_room(&scene, 1_000).await;
    scene.store.record(run, vec![log("c")]).await.unwrap();
    let entries = scene.store.journal(run, 0, 10).await.unwrap();
    let text = serde_json::to_string(&entries).unwrap();
    assert_eq!(text.matches("2 entries dropped").count(), 1, "{text}");
    assert_eq!(entries.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn wherever_the_disk_runs_full_the_history_holds_and_goes_on(
        before in prop::collection::vec(operation(), 0..20),
        during in prop::collection::vec(operation(), 10..40),
        pages in 0..6_u32,
    ) {
        block_on(async {
            let scene = Scene::new();
            let mut worker = Worker::new(&scene);
            worker.work(before).await;
            leave_room(&scene, pages).await;
            for operation in during {
                // It may well be refused; what counts is what it leaves behind.
                let _ = worker.carry_out(operation).await;
            }
            let head = invariants::hold(&scene).await;
            leave_room(&scene, 1_000).await;
            scene.queue(1_000).await;
            prop_assert_eq!(invariants::hold(&scene).await.seq, head.seq + 1);
            Ok(())
        })?;
    }
}
