//! Databases, by the name that the operator gave them.

mod connection;
mod cursors;
mod keywords;
mod policy;
pub(crate) mod schema;
mod session;
mod tokens;
mod trouble;
mod value;
mod verify;
mod worker;

pub(crate) use connection::open_for_host;
pub(crate) use trouble::{database_failure, not_a_database};

use crate::blocking::{on_thread, until_done};
use crate::databases::Databases;
use crate::gate::Gate;
use crate::options::statement_timeout;
use crate::stop::Watch;
use async_trait::async_trait;
use session::SqliteSession;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, DatabaseInfo, Pairs, Session, SessionMode, Sql, VerifyDepth};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Sessions that are open at once; each is a thread.
const SESSIONS_MAX: usize = 16;

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

    /// Reads from a database on a thread that ends when nobody waits for it any more.
    async fn read<T: Send + 'static>(
        &self,
        database: &str,
        work: impl FnOnce(&crate::databases::DatabaseFile, &Arc<Watch>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let file = self.databases.find(database, Access::Read)?;
        on_thread(&self.gate, move |watch| work(&file, &watch)).await
    }
}

#[async_trait]
impl Sql for SqlDatabases {
    async fn describe(&self, database: &str) -> Answer<DatabaseInfo> {
        self.read(database, verify::describe).await
    }

    async fn open(&self, database: &str, mode: SessionMode, options: Pairs) -> Answer<Box<dyn Session>> {
        let time = statement_timeout(&options)?;
        let access = match mode {
            SessionMode::Read => Access::Read,
            SessionMode::Write => Access::Write,
        };
        let file = self.databases.find(database, access)?;
        file.check_file()?;
        let permit = Arc::clone(&self.sessions).try_acquire_owned().map_err(|_| {
            let message = format!("an attempt may have {SESSIONS_MAX} sessions open at once");
            Failure::limit("sessions", message)
        })?;
        let session = SqliteSession::open(Arc::clone(&self.gate), file, mode, time, permit).await?;
        Ok(Box::new(session))
    }

    async fn schema(&self, database: &str) -> Answer<String> {
        self.read(database, verify::schema).await
    }

    async fn verify(&self, database: &str, depth: VerifyDepth) -> Answer<Vec<String>> {
        self.read(database, move |file, watch| verify::verify(file, depth, watch))
            .await
    }

    async fn scratch(&self, like: &str) -> Answer<String> {
        self.databases.check_granted(like)?;
        let databases = Arc::clone(&self.databases);
        let number = until_done(&self.gate, move |_| databases.scratches.create()).await?;
        Ok(format!("scratch:{number}"))
    }

    async fn discard(&self, scratch: &str) -> Answer<()> {
        let Some(number) = scratch.strip_prefix("scratch:").map(ToOwned::to_owned) else {
            let message = format!("`{scratch}` is no scratch database: their names begin with `scratch:`");
            return Err(Failure::invalid(message));
        };
        let databases = Arc::clone(&self.databases);
        until_done(&self.gate, move |_| databases.scratches.discard(&number)).await
    }
}
