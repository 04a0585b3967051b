//! Brings the write-ahead log over into the database beside the writer, so that nobody waits for it.

use crate::fault::Outcome;
use crate::schema;
use rusqlite::Connection;
use sopwith_core::port::StoreError;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// After so many pages the log goes over into the database: a transaction of a run touches about fifteen, and
/// each time costs two more waits for the disk.
const PAGES: u32 = 4_000;

/// Checkpoints: most of each on a thread and a connection of its own, the rest by the writer.
///
/// The log can begin anew only once all of it is in the database, and a busy writer adds to it all the time. So
/// the writer, which alone can see to it that nothing is added, brings over what came meanwhile: a small part.
pub(crate) struct Checkpoints {
    pages: Arc<AtomicU32>,
    /// Whether a rest is left to the writer.
    rest: Arc<AtomicBool>,
    wanted: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread.
    pub(crate) fn start(path: &Path) -> Outcome<Self> {
        let connection = schema::open_checkpointer(path)?;
        let (wanted, asked) = sync_channel(1);
        let rest = Arc::new(AtomicBool::new(false));
        let left = Arc::clone(&rest);
        let thread = thread::Builder::new()
            .name("history-checkpoint".to_owned())
            .spawn(move || work(&connection, &asked, &left))
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(Self {
            pages: Arc::default(),
            rest,
            wanted: Some(wanted),
            thread: Some(thread),
        })
    }

    /// Leaves the checkpoints of the writer's connection to these.
    pub(crate) fn watch(&self, writer: &mut Connection) -> Outcome<()> {
        let pages = Arc::clone(&self.pages);
        let count = move |_: &mut rusqlite::hooks::Wal, now: i32| {
            pages.store(now.unsigned_abs(), Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(count))?;
        Ok(())
    }

    /// After a commit, once those who waited for it have their answers.
    pub(crate) fn after_commit(&self, writer: &Connection) {
        if self.rest.swap(false, Relaxed) {
            bring_over(writer);
        } else if self.pages.load(Relaxed) >= PAGES
            && let Some(wanted) = &self.wanted
            && let Err(TrySendError::Disconnected(())) = wanted.try_send(())
        {
            // Nobody else is there to do it.
            bring_over(writer);
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, asked: &Receiver<()>, rest: &AtomicBool) {
    while asked.recv().is_ok() {
        bring_over(connection);
        rest.store(true, Relaxed);
    }
}

/// Brings over what nobody reads any more. What is left comes with the next time.
fn bring_over(connection: &Connection) {
    let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(%error, "the log of the history could not be brought over into it; trying again");
    }
}
