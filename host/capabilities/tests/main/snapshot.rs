//! Copies of a database that is in use.

use crate::flow::{back_up, file, pipe};
use crate::world::{World, kind, names};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::port::capabilities::{Sink, Source};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Moves money between accounts until it is told to stop, so that their sum never changes.
fn keep_moving(world: &World) -> (Arc<AtomicBool>, std::thread::JoinHandle<u64>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (told, connection) = (Arc::clone(&stop), world.connect());
    connection.pragma_update(None, "synchronous", "off").unwrap();
    let writer = std::thread::spawn(move || {
        let mut moved = 0;
        while !told.load(Relaxed) {
            connection
                .execute_batch(
                    "BEGIN IMMEDIATE;
                     UPDATE account SET balance = balance - 1 WHERE id = 1;
                     INSERT INTO secret (word) VALUES ('new');
                     UPDATE secret SET word = hex(randomblob(500)) WHERE id = 1 + abs(random()) % 5000;
                     UPDATE account SET balance = balance + 1 WHERE id = 2;
                     COMMIT",
                )
                .unwrap();
            moved += 1;
        }
        moved
    });
    (stop, writer)
}

fn standalone(path: &Path) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let ok: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(ok, "ok");
    connection
}

#[tokio::test]
async fn a_snapshot_is_consistent_and_whole_while_others_write() {
    let world = World::new();
    world
        .connect()
        .execute_batch(
            "INSERT INTO secret (word) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             SELECT hex(randomblob(500)) FROM n",
        )
        .unwrap();
    let (stop, writer) = keep_moving(&world);
    let all = world.open().await;
    for round in 0..3 {
        let name = format!("{round}.db");
        let receipt = back_up(&*all, &[], &name).await.unwrap();
        let copy = standalone(&world.files().join(&name));
        let sum: i64 = copy
            .query_row("SELECT sum(balance) FROM account", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sum, 100);
        let count: u64 = copy
            .query_row("SELECT count(*) FROM secret", [], |row| row.get(0))
            .unwrap();
        let extra = |name: &str| {
            receipt
                .extra
                .iter()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .clone()
        };
        let rows: Value = serde_json::from_str(&extra("rows")).unwrap();
        assert_eq!(rows, json!({"account": 2, "entry": 0, "secret": count}));
        let schema = all.sql().schema("app").await.unwrap();
        assert_eq!(extra("schema-digest"), Digest::of(schema).to_string());
        assert_eq!(receipt.warnings, [""; 0]);
    }
    stop.store(true, Relaxed);
    assert!(writer.join().unwrap() > 0);
    // Nothing but the copies: each opens by itself, without a log beside it.
    assert_eq!(names(&world.files()), ["0.db", "1.db", "2.db"]);
}

#[tokio::test]
async fn writers_of_a_database_without_a_log_wait_and_the_receipt_says_so() {
    let world = World::new();
    world
        .connect()
        .pragma_update(None, "journal_mode", "delete")
        .unwrap();
    let all = world.open().await;
    let receipt = back_up(&*all, &[], "a.db").await.unwrap();
    assert_eq!(
        receipt.warnings,
        ["while it is copied writers of `app` wait: it is in rollback-journal mode; WAL mode avoids it"]
    );
    standalone(&world.files().join("a.db"));
}

#[tokio::test]
async fn a_file_in_the_place_of_a_database_is_no_source() {
    let world = World::new();
    std::fs::write(world.app(), "").unwrap();
    let all = world.open().await;
    let source = Source::Database("app".to_owned());
    assert!(all.flow().check(&source).await.is_err());
    assert!(
        all.flow()
            .move_bytes(pipe(source, &[]), Sink::Nothing)
            .await
            .is_err()
    );
    assert!(all.flow().check(&file("missing")).await.is_err());
}

/// Whoever wrote the file may be hostile, so the host itself reads no schema.
#[tokio::test]
async fn a_schema_that_takes_much_memory_reaches_a_limit() {
    let world = World::new();
    let columns: Vec<_> = (0..1_900).map(|number| format!("c{number}")).collect();
    let tables = (0..700).map(|number| format!("CREATE TABLE t{number} ({});", columns.join(",")));
    let tables = tables.collect::<String>();
    world
        .connect()
        .execute_batch(&format!("BEGIN; {tables} COMMIT"))
        .unwrap();
    std::fs::copy(world.app(), world.files().join("bomb.db")).unwrap();
    let all = world.open().await;
    assert_eq!(kind(back_up(&*all, &[], "a.db").await), FailureKind::Limit);
    let scratch = Sink::Database(all.sql().scratch("app").await.unwrap());
    let arrived = all.flow().move_bytes(pipe(file("bomb.db"), &[]), scratch);
    assert_eq!(kind(arrived.await), FailureKind::Limit);
    assert_eq!(names(&world.files()), ["bomb.db"]);
}

/// The page at one gibibyte is the engine's own and never in use.
#[tokio::test]
async fn a_snapshot_of_more_than_a_gibibyte_is_whole() {
    if std::env::var("SOPWITH_TEST_TIER").as_deref() != Ok("soak") {
        println!("left to `just soak`: it writes two gibibytes");
        return;
    }
    let world = World::new();
    world
        .connect()
        .execute_batch(
            "INSERT INTO secret (word) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
             SELECT zeroblob(1 << 20) FROM n",
        )
        .unwrap();
    let all = world.open().await;
    let receipt = back_up(&*all, &[], "large.db").await.unwrap();
    assert!(receipt.bytes_written > 1 << 30);
    standalone(&world.files().join("large.db"));
}
