//! What a flow needs done with a database: in a process like that of a session, since a plugin may
//! have written the file.

use super::SessionProgram;
use super::process::Process;
use super::process::wire::{Request, Task};
use super::session::order;
use super::snapshot::Piece;
use crate::databases::{DatabaseFile, Databases};
use crate::gate::Gate;
use crate::stop::Watch;
use serde::de::DeserializeOwned;
use sopwith_core::port::capabilities::{Answer, DatabaseInfo};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Starts such processes for threads that may wait.
#[derive(Clone)]
pub(crate) struct Aside {
    gate: Arc<Gate>,
    program: SessionProgram,
    directory: PathBuf,
    runtime: Handle,
}

impl Aside {
    /// Has to be made within the runtime.
    pub(crate) fn new(databases: &Databases) -> Self {
        Self {
            gate: Arc::clone(&databases.gate),
            program: databases.program.clone(),
            directory: databases.scratches.directory().to_owned(),
            runtime: Handle::current(),
        }
    }

    /// Fails unless a file is a database that can be opened.
    pub(crate) fn check(&self, file: &DatabaseFile, watch: &Arc<Watch>) -> Answer<()> {
        let described: Answer<(_, DatabaseInfo)> = self.start(Task::Describe, file, watch);
        described.map(drop)
    }

    /// Writes the log of a database into it, which nobody else may have locked.
    pub(crate) fn settle(&self, file: &DatabaseFile, watch: &Arc<Watch>) -> Answer<()> {
        self.start(Task::Settle, file, watch).map(|(_, ())| ())
    }

    /// Takes a snapshot.
    pub(crate) fn snapshot(&self, file: &DatabaseFile, watch: &Arc<Watch>) -> Answer<Snapshot> {
        let (process, journal): (_, String) = self.start(Task::Snapshot, file, watch)?;
        Ok(Snapshot {
            process,
            runtime: self.runtime.clone(),
            watch: Arc::clone(watch),
            journal,
        })
    }

    fn start<T: DeserializeOwned>(
        &self,
        task: Task,
        file: &DatabaseFile,
        watch: &Arc<Watch>,
    ) -> Answer<(Process, T)> {
        let order = order(task, file, &self.gate.attempt().limits)?;
        let started = Process::start(
            Arc::clone(&self.gate),
            &self.program,
            &self.directory,
            &order,
            None,
        );
        wait(&self.runtime, watch, started)
    }
}

/// A snapshot that is being read.
pub(crate) struct Snapshot {
    process: Process,
    runtime: Handle,
    watch: Arc<Watch>,
    /// How the database keeps its journal: `wal`, or one of the modes in which writers wait.
    pub(crate) journal: String,
}

impl Snapshot {
    /// What comes next, within the time that is left.
    pub(crate) fn next(&mut self, time: Option<Duration>) -> Answer<Piece> {
        wait(
            &self.runtime,
            &self.watch,
            self.process.ask(&Request::Piece, time),
        )
    }
}

/// Waits on this thread, until the flow has to end.
fn wait<T>(runtime: &Handle, watch: &Watch, work: impl Future<Output = Answer<T>>) -> Answer<T> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            failure = watch.ended() => Err(failure),
            done = work => done,
        }
    })
}
