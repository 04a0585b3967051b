//! Databases, by the name that the operator gave them.

mod aside;
mod connection;
mod cursors;
mod keywords;
mod policy;
mod process;
mod schema;
mod session;
mod settle;
mod snapshot;
mod tokens;
mod trouble;
mod value;
mod verify;
mod worker;

pub(crate) use aside::{Aside, Snapshot};
pub use process::{SessionProgram, serve_session};
pub(crate) use process::{is_ending, is_session};
pub(crate) use snapshot::{Piece, Summary};
pub(crate) use trouble::not_a_database;

use crate::blocking::until_done;
use crate::databases::Databases;
use crate::gate::Gate;
use crate::masking;
use crate::options::statement_timeout;
use async_trait::async_trait;
use process::wire::Task;
use process::{END_GRACE, Process};
use serde::de::DeserializeOwned;
use session::SqliteSession;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, DatabaseInfo, Pairs, Session, SessionMode, Sql, VerifyDepth};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sessions that are open at once; each is a process, and all share what the attempt may have.
const SESSIONS_MAX: usize = 3;

/// `sopwith:plugin/sql`
pub(crate) struct SqlDatabases {
    gate: Arc<Gate>,
    databases: Arc<Databases>,
    sessions: Arc<Semaphore>,
}

impl SqlDatabases {
    pub(crate) fn new(gate: Arc<Gate>, databases: Arc<Databases>) -> Self {
        Self {
            gate,
            databases,
            sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
        }
    }

    /// Waits for a place that a session which was closed is about to leave.
    async fn permit(&self) -> Answer<OwnedSemaphorePermit> {
        let too_many = || {
            let message = format!("an attempt may have {SESSIONS_MAX} sessions open at once");
            Failure::limit("sessions", message)
        };
        let waiting = async {
            tokio::select! {
                biased;
                permit = Arc::clone(&self.sessions).acquire_owned() => permit.map_err(|_| too_many()),
                () = self.gate.clock().sleep(END_GRACE) => Err(too_many()),
            }
        };
        self.gate.bounded(waiting).await
    }

    /// Has a process look at a database.
    async fn look<T: DeserializeOwned>(&self, database: &str, call: &str, task: Task) -> Answer<T> {
        let file = self.databases.find(database, Access::Read, call)?;
        file.check_file()?;
        let order = session::order(task, &file, &self.gate.attempt().limits)?;
        let (gate, directory) = (Arc::clone(&self.gate), self.databases.scratches.directory());
        let (_, answer) = Process::start(gate, &self.databases.program, directory, &order, None).await?;
        Ok(answer)
    }
}

#[async_trait]
impl Sql for SqlDatabases {
    async fn describe(&self, database: &str) -> Answer<DatabaseInfo> {
        self.look(database, "sql.describe", Task::Describe).await
    }

    async fn open(&self, database: &str, mode: SessionMode, options: Pairs) -> Answer<Box<dyn Session>> {
        let time = statement_timeout(&options)?;
        let access = match mode {
            SessionMode::Read => Access::Read,
            SessionMode::Write => Access::Write,
        };
        let file = self.databases.find(database, access, "sql.open")?;
        file.check_file()?;
        let permit = self.permit().await?;
        let session = SqliteSession::open(Arc::clone(&self.gate), &self.databases, file, mode, time, permit);
        Ok(Box::new(session.await?))
    }

    async fn schema(&self, database: &str) -> Answer<String> {
        let schema = self.look(database, "sql.schema", Task::Schema).await?;
        Ok(masking::masked(&self.gate.mask(), schema))
    }

    async fn verify(&self, database: &str, depth: VerifyDepth) -> Answer<Vec<String>> {
        let problems: Vec<String> = self.look(database, "sql.verify", Task::Verify(depth)).await?;
        let mask = self.gate.mask();
        Ok(problems
            .into_iter()
            .map(|problem| masking::masked(&mask, problem))
            .collect())
    }

    async fn scratch(&self, like: &str) -> Answer<String> {
        self.databases.check_granted(like, "sql.scratch")?;
        let databases = Arc::clone(&self.databases);
        let number = until_done(&self.gate, move |_| databases.scratches.create()).await?;
        Ok(format!("scratch:{number}"))
    }

    async fn discard(&self, scratch: &str) -> Answer<()> {
        let Some(number) = scratch.strip_prefix("scratch:").map(ToOwned::to_owned) else {
            let message = format!("`{scratch}` is no scratch database: their names begin with `scratch:`");
            return Err(Failure::invalid(message));
        };
        self.databases.measure_scratches();
        let databases = Arc::clone(&self.databases);
        until_done(&self.gate, move |_| databases.scratches.discard(&number)).await
    }
}
