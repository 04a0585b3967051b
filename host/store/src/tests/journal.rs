//! Tests of the record of runs.

use super::{Scene, at, entry, id, invariants, log};
use futures::future::join_all;
use serde_json::json;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::{Attachment, Store as _, StoreError};

async fn messages(scene: &Scene, number: u32) -> Vec<String> {
    let entries = scene.store.journal(id(number), 0, u32::MAX).await.unwrap();
    let message = |(_, entry): (u64, JournalEntry)| match entry.note {
        Note::Log { message, .. } => message,
        other => format!("{other:?}"),
    };
    entries.into_iter().map(message).collect()
}

#[tokio::test]
async fn lines_that_nobody_waits_for_come_before_a_later_durable_one() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    scene.store.record_soon(run, vec![log("a"), log("b")]);
    scene.store.record_soon(run, vec![log("c")]);
    scene.store.record(run, vec![log("d")]).await.unwrap();
    assert_eq!(messages(&scene, 1).await, ["a", "b", "c", "d"]);
    scene.store.record_soon(run, vec![log("e")]);
    assert_eq!(messages(&scene.reopened(), 1).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn the_record_is_read_page_by_page() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    scene
        .store
        .record(run, (0..5).map(|n| log(&n.to_string())).collect())
        .await
        .unwrap();
    let page = scene.store.journal(run, 2, 2).await.unwrap();
    assert_eq!(page, [(3, log("2")), (4, log("3"))]);
    assert!(scene.store.journal(run, u64::MAX, 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn very_large_lines_come_in_pages_of_their_own() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    let large = log(&"x".repeat(40 << 20));
    for line in [&log("a"), &large, &large] {
        scene.store.record(run, vec![line.clone()]).await.unwrap();
    }
    let page = async |after| scene.store.journal(run, after, 10).await.unwrap().len();
    assert_eq!((page(0).await, page(2).await), (2, 1));
}

#[tokio::test]
async fn what_is_too_much_to_wait_is_dropped_and_counted() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    // While somebody else writes, all lines have to wait.
    let mut other = rusqlite::Connection::open(scene.path()).unwrap();
    let writing = other
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let line = "x".repeat(1 << 20);
    for _ in 0..20 {
        scene.store.record_soon(run, vec![log(&line)]);
    }
    drop(writing);
    scene.store.record(run, vec![log("last")]).await.unwrap();
    let (notices, kept): (Vec<_>, Vec<_>) = messages(&scene, 1)
        .await
        .into_iter()
        .partition(|message| message.ends_with(" entries dropped"));
    let dropped = notices
        .iter()
        .map(|notice| notice.split_once(' ').unwrap().0.parse::<usize>().unwrap());
    assert_eq!(kept.last().unwrap(), "last");
    assert_eq!(kept.len() - 1 + dropped.sum::<usize>(), 20, "{notices:?}");
    assert!(kept.len() > 1 && !notices.is_empty());
}

#[tokio::test]
async fn finished_and_skipped_steps_give_their_output_back() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    let finished = |name: &str, output| Note::StepFinished {
        name: name.to_owned(),
        output,
    };
    let skipped = Note::StepSkipped {
        name: "notify".to_owned(),
        reason: "nobody".to_owned(),
    };
    let notes = [
        finished("backup", json!({ "bytes": 7 })),
        Note::StepBegan {
            name: "restore".to_owned(),
        },
        skipped,
        finished("backup", json!({ "bytes": 8 })),
    ];
    scene
        .store
        .record(run, notes.map(|note| entry(1, note)).into())
        .await
        .unwrap();
    let steps = scene.store.finished_steps(run).await.unwrap();
    let expected = [
        ("backup".to_owned(), r#"{"bytes":8}"#.into()),
        ("notify".to_owned(), "null".into()),
    ];
    assert_eq!(steps, expected.into());
}

#[tokio::test]
async fn evidence_takes_the_place_of_an_older_one_of_its_name() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    let attach = async |content: &[u8]| {
        let attachment = Attachment {
            name: "page.html".to_owned(),
            media_type: "text/html".to_owned(),
            content: content.to_vec(),
        };
        scene
            .store
            .attach(run, attachment, log("attached"))
            .await
            .unwrap();
    };
    attach(b"old").await;
    attach(b"new").await;
    let attachments = scene.store.attachments(run).await.unwrap();
    assert_eq!(
        (attachments.len(), attachments[0].content.as_slice()),
        (1, b"new".as_slice())
    );
    assert_eq!(messages(&scene, 1).await.len(), 2);
}

#[tokio::test]
async fn a_run_that_is_none_has_no_record() {
    let scene = Scene::new();
    let refused = scene.store.record(id(9), vec![log("a")]).await;
    assert!(matches!(refused, Err(StoreError::NoRun(_))), "{refused:?}");
    scene.store.record_soon(id(9), vec![log("a")]);
    scene.queue(1).await;
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let scene = Scene::new();
    let run = scene.queue(1).await.id();
    let record = |n: i64| {
        scene.store.record(
            run,
            vec![JournalEntry {
                at: at(n),
                ..log("x")
            }],
        )
    };
    let done = join_all((0..2_000).map(record)).await;
    assert!(done.iter().all(Result::is_ok));
    assert_eq!(messages(&scene, 1).await.len(), 2_000);
    invariants::hold(&scene).await;
}
