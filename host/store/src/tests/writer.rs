//! Tests of the thread that writes.

use crate::fault::Outcome;
use crate::writer::Writer;
use futures::future::join_all;
use rusqlite::Connection;
use sopwith_core::port::{StoreError, Stored};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A writer of a table of numbers that counts its batches.
struct Bench {
    writer: Writer,
    batches: Arc<AtomicU32>,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let batches = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&batches);
        let finish = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            None
        };
        let writer = Writer::start(&folder.path().join("history.db"), finish).unwrap();
        let make = |connection: &Connection| {
            connection.execute_batch("CREATE TABLE number (value INTEGER PRIMARY KEY)")?;
            Ok(())
        };
        writer.write(make).await.unwrap();
        Self {
            writer,
            batches,
            folder,
        }
    }

    async fn insert(&self, value: i64) -> Stored<()> {
        self.writer
            .write(move |connection| insert(connection, value))
            .await
    }

    fn numbers(&self) -> Vec<i64> {
        let connection = Connection::open(self.folder.path().join("history.db")).unwrap();
        let mut select = connection
            .prepare("SELECT value FROM number ORDER BY value")
            .unwrap();
        let numbers = select.query_map([], |row| row.get(0)).unwrap();
        numbers.collect::<Result<_, _>>().unwrap()
    }

    /// Holds the writer until all of these wait, and then lets it go.
    async fn together<T>(&self, work: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
        let (tell, is_held) = oneshot::channel();
        let (release, released) = mpsc::channel();
        let hold = self.writer.write(move |_| {
            tell.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        let work = async {
            is_held.await.unwrap();
            // Polled in order: all of the work is on its way before the last one lets go.
            let (done, ()) = futures::join!(join_all(work), async { release.send(()).unwrap() });
            done
        };
        let (let_go, done) = futures::join!(hold, work);
        let_go.unwrap();
        done
    }
}

fn insert(connection: &Connection, value: i64) -> Outcome<()> {
    connection.execute("INSERT INTO number VALUES (?1)", [value])?;
    Ok(())
}

#[tokio::test]
async fn all_that_waits_shares_one_commit() {
    let bench = Bench::new().await;
    let before = bench.batches.load(Ordering::SeqCst);
    let done = bench.together((0..100).map(|value| bench.insert(value))).await;
    assert!(done.iter().all(Result::is_ok));
    assert_eq!(bench.batches.load(Ordering::SeqCst) - before, 2);
    assert_eq!(bench.numbers().len(), 100);
}

#[tokio::test]
async fn work_that_fails_is_taken_back_alone() {
    let bench = Bench::new().await;
    let done = bench
        .together([1, 2, 3].map(|value| {
            bench.writer.write(move |connection| {
                insert(connection, value)?;
                match value {
                    2 => Err(StoreError::Conflict { found: 7 }.into()),
                    _ => Ok(()),
                }
            })
        }))
        .await;
    assert!(
        matches!(&done[1], Err(StoreError::Conflict { found: 7 })),
        "{done:?}"
    );
    assert!(done[0].is_ok() && done[2].is_ok());
    assert_eq!(bench.numbers(), [1, 3]);
}

#[tokio::test]
async fn a_commit_that_fails_fails_all_that_shared_it_and_nothing_after_it() {
    let bench = Bench::new().await;
    // A reference that dangles until the end lets the work succeed and the commit fail.
    let dangling = |connection: &Connection| {
        connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        connection.execute("INSERT INTO event VALUES ('nobody', 1, '{}')", [])?;
        Ok(())
    };
    let work = [1, 2, 3].map(|value| {
        bench.writer.write(move |connection| match value {
            2 => dangling(connection),
            _ => insert(connection, value),
        })
    });
    let done = bench.together(work).await;
    assert!(
        done.iter().all(|done| matches!(done, Err(StoreError::Broken(_)))),
        "{done:?}"
    );
    assert!(bench.numbers().is_empty());
    bench.insert(4).await.unwrap();
    assert_eq!(bench.numbers(), [4]);
}

#[tokio::test]
async fn what_is_on_its_way_is_written_before_the_writer_goes() {
    let bench = Bench::new().await;
    let (release, released) = mpsc::channel::<()>();
    let hold = bench.writer.write(move |_| {
        let _ = released.recv();
        Ok(())
    });
    {
        // Whoever asked goes away without an answer.
        let (mut hold, mut insert) = (Box::pin(hold), Box::pin(bench.insert(5)));
        assert!(futures::poll!(&mut hold).is_pending());
        assert!(futures::poll!(&mut insert).is_pending());
    }
    drop(release);
    let Bench {
        writer,
        folder,
        batches,
    } = bench;
    drop(writer);
    let connection = Connection::open(folder.path().join("history.db")).unwrap();
    let count: i64 = connection
        .query_row("SELECT count(*) FROM number", [], |row| row.get(0))
        .unwrap();
    assert_eq!((count, batches.load(Ordering::SeqCst) > 1), (1, true));
}

#[tokio::test]
async fn the_log_goes_over_into_the_database_while_it_is_written() {
    let bench = Bench::new().await;
    let path = bench.folder.path().join("history.db");
    let size = |name| bench.folder.path().join(name).metadata().unwrap().len();
    let page = |connection: &Connection| {
        connection.execute_batch("CREATE TABLE IF NOT EXISTS page (body BLOB)")?;
        let mut insert = connection.prepare_cached("INSERT INTO page VALUES (zeroblob(3000))")?;
        for _ in 0..200 {
            insert.execute([])?;
        }
        Ok(())
    };
    // Thirty thousand pages, of which the log never holds more than a part.
    for _ in 0..150 {
        bench.writer.write(page).await.unwrap();
    }
    let (log, database) = (size("history.db-wal"), size("history.db"));
    assert!(log < database / 2, "{log} bytes of log beside {database} bytes");
    let connection = Connection::open(path).unwrap();
    let rows: u32 = connection
        .query_row("SELECT count(*) FROM page", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 30_000);
}
