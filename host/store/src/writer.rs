//! The one thread that writes: it commits once for all jobs that wait.

use crate::checkpoint::Checkpoints;
use crate::fault::{Fault, Outcome};
use crate::schema;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use sopwith_core::port::{StoreError, Stored};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How many durable jobs may wait; those that come after wait for a place.
const WAITING_MAX: usize = 1_024;

/// How many jobs one commit may carry.
const BATCH_MAX: usize = 256;

/// How long work that nobody waits for stays behind, so that a chatty plugin does not cost a commit a line.
const LINGER: Duration = Duration::from_millis(50);

/// How long a batch waits for a job more while it is smaller than the one before it: those who were
/// just answered come back together, and a commit costs far more than this.
const COMPANY: Duration = Duration::from_micros(200);

/// So many jobs that nobody waits for are worth a commit.
const LINGERING_MAX: usize = 64;

/// A piece of work in a transaction that it shares with others.
pub(crate) trait Job: Send {
    /// Whether nobody waits for it.
    fn may_linger(&self) -> bool;
    /// Does the work; an error takes back what it has done, and nothing else.
    fn carry_out(&mut self, connection: &Connection) -> Stored<()>;
    /// Hears whether the transaction as a whole came to hold.
    fn conclude(self: Box<Self>, committed: Stored<()>);
}

/// The way to the thread that writes. Dropped, it waits until all is written.
pub(crate) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the database and starts the thread. `finish` gives the work that each batch ends with.
    pub(crate) fn start(
        path: &Path,
        finish: impl FnMut() -> Option<Box<dyn Job>> + Send + 'static,
    ) -> Outcome<Self> {
        let (jobs, waiting) = channel();
        let mut connection = schema::open_writer(path)?;
        let checkpoints = Checkpoints::start(path)?;
        checkpoints.watch(&mut connection)?;
        let mut desk = Desk {
            connection,
            checkpoints,
            path: path.to_owned(),
            finish,
        };
        let thread = thread::Builder::new()
            .name("history-writer".to_owned())
            .spawn(move || desk.work(&waiting))
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            thread: Some(thread),
        })
    }

    /// Does work in a transaction; it is durable when this returns.
    pub(crate) async fn write<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(Durable {
            work: Some(work),
            outcome: Err(ended()),
            answer,
            _place: place.map_err(|_| ended())?,
        }))?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Puts work behind all that came before it.
    pub(crate) fn send(&self, job: Box<dyn Job>) -> Stored<()> {
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job).map_err(|_| ended())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ended() -> StoreError {
    StoreError::Broken("the writer has ended".to_owned())
}

/// Work that somebody waits for.
struct Durable<T, F> {
    work: Option<F>,
    outcome: Stored<T>,
    answer: oneshot::Sender<Stored<T>>,
    _place: OwnedSemaphorePermit,
}

impl<T, F> Job for Durable<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Outcome<T> + Send,
{
    fn may_linger(&self) -> bool {
        false
    }

    fn carry_out(&mut self, connection: &Connection) -> Stored<()> {
        if let Some(work) = self.work.take() {
            self.outcome = work(connection).map_err(StoreError::from);
        }
        self.outcome.as_ref().map(drop).map_err(StoreError::clone)
    }

    fn conclude(self: Box<Self>, committed: Stored<()>) {
        // Whoever asked may have gone meanwhile.
        let _ = self.answer.send(committed.and(self.outcome));
    }
}

/// What the thread works with.
struct Desk<Finish> {
    connection: Connection,
    checkpoints: Checkpoints,
    path: PathBuf,
    finish: Finish,
}

impl<Finish: FnMut() -> Option<Box<dyn Job>>> Desk<Finish> {
    fn work(&mut self, waiting: &Receiver<Box<dyn Job>>) {
        let mut expected = 1;
        while let Ok(first) = waiting.recv() {
            let mut jobs = vec![first];
            linger(waiting, &mut jobs);
            gather(waiting, &mut jobs, expected);
            expected = jobs.len();
            self.carry_out(jobs);
        }
        self.carry_out(Vec::new());
    }

    fn carry_out(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        jobs.extend((self.finish)());
        if jobs.is_empty() {
            return;
        }
        let committed = batch(&mut self.connection, &mut jobs).map_err(|fault| {
            tracing::error!(%fault, jobs = jobs.len(), "the history cannot be written");
            StoreError::Broken(fault.to_string())
        });
        if committed.is_err() {
            self.recover();
        }
        for job in jobs {
            job.conclude(committed.clone());
        }
        self.checkpoints.after_commit(&self.connection);
    }

    /// A connection whose transaction could neither be committed nor taken back is of no use.
    fn recover(&mut self) {
        if self.connection.is_autocommit() {
            return;
        }
        let opened = schema::open_writer(&self.path).and_then(|mut connection| {
            self.checkpoints.watch(&mut connection)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => self.connection = connection,
            Err(fault) => tracing::error!(%fault, "the history cannot be opened again"),
        }
    }
}

/// Waits for company, as long as nobody waits for an answer.
fn linger(waiting: &Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>) {
    while jobs.len() < LINGERING_MAX && jobs.iter().all(|job| job.may_linger()) {
        let Ok(job) = waiting.recv_timeout(LINGER) else {
            return;
        };
        jobs.push(job);
    }
}

/// Takes all that waits, and waits a little for as many as there were before.
fn gather(waiting: &Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>, expected: usize) {
    while jobs.len() < BATCH_MAX {
        let wait = if jobs.len() < expected {
            COMPANY
        } else {
            Duration::ZERO
        };
        let Ok(job) = waiting.recv_timeout(wait) else {
            return;
        };
        jobs.push(job);
    }
}

/// Carries out all jobs in one transaction, each in a savepoint of its own.
fn batch(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Outcome<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in jobs {
        carry_out_alone(&mut transaction, &mut **job)?;
    }
    transaction.commit()?;
    Ok(())
}

fn carry_out_alone(transaction: &mut Transaction<'_>, job: &mut dyn Job) -> Outcome<()> {
    let mut savepoint = transaction.savepoint()?;
    if let Err(error) = job.carry_out(&savepoint) {
        // On some errors SQLite takes back the whole transaction by itself.
        if savepoint.is_autocommit() {
            return Err(error.into());
        }
        savepoint.rollback()?;
    }
    savepoint.commit().map_err(Fault::from)
}
