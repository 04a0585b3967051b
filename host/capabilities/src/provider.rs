//! Makes the capabilities of an attempt, and clears up after runs.

use crate::bundle::Bundle;
use crate::network::Trust;
use crate::scratch;
use crate::trouble::file_failure;
use async_trait::async_trait;
use rusqlite::Connection;
use sopwith_core::attempt::{Attempt, CapabilityProvider};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Capabilities;
use sopwith_core::port::{Clock, Store};
use sopwith_core::run::RunId;
use std::path::PathBuf;
use std::sync::Arc;

/// What the capabilities of all attempts have in common.
pub struct Settings {
    /// Keeps the record and the state.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where scratch databases lie; made where it is missing, for the host's user alone.
    pub scratch_directory: PathBuf,
    /// Files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
}

/// The real capabilities.
pub struct Provider {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    scratch_directory: PathBuf,
    trust: Arc<Trust>,
}

impl Provider {
    /// Loads the authorities that are trusted, and makes the directory of scratch databases.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        check_engine()?;
        scratch::make_private(&settings.scratch_directory)
            .map_err(|error| file_failure(&error, "make the scratch directory"))?;
        Ok(Self {
            trust: Arc::new(Trust::new(&settings.ca_files)?),
            store: settings.store,
            clock: settings.clock,
            scratch_directory: settings.scratch_directory,
        })
    }
}

/// Fails where SQLite was built without what snapshots are read through.
fn check_engine() -> Result<(), Failure> {
    let looked = Connection::open_in_memory().and_then(|connection| {
        let option = "ENABLE_DBPAGE_VTAB";
        connection.query_row("SELECT sqlite_compileoption_used(?1)", [option], |row| row.get(0))
    });
    match looked {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::host("SQLite was built without `sqlite_dbpage`")
            .hint("build with LIBSQLITE3_FLAGS=\"-DSQLITE_ENABLE_DBPAGE_VTAB\", as .cargo/config.toml says")),
        Err(error) => Err(Failure::host(format!("SQLite cannot be used: {error}"))),
    }
}

#[async_trait]
impl CapabilityProvider for Provider {
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure> {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let trust = Arc::clone(&self.trust);
        Ok(Arc::new(Bundle::new(
            attempt,
            store,
            clock,
            trust,
            &self.scratch_directory,
        )))
    }

    async fn end_run(&self, run: RunId) {
        // Most runs have none, and a look costs less than a thread.
        if !scratch::has_run(&self.scratch_directory, run) {
            return;
        }
        let directory = self.scratch_directory.clone();
        let removed = tokio::task::spawn_blocking(move || scratch::remove_run(&directory, run));
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(%run, "cannot remove the scratch databases of a run: {error}");
        }
    }

    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure> {
        let (directory, live) = (self.scratch_directory.clone(), live.to_vec());
        tokio::task::spawn_blocking(move || scratch::sweep(&directory, &live))
            .await
            .map_err(|error| Failure::host(format!("a thread of the host ended early: {error}")))?
            .map_err(|error| file_failure(&error, "clear the scratch directory"))
    }
}
