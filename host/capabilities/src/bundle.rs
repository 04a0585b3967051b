//! Everything that one attempt can do.

use crate::databases::Databases;
use crate::files::GrantedFiles;
use crate::flow::HostFlow;
use crate::gate::Gate;
use crate::journal::RunJournal;
use crate::network::{Network, Trust};
use crate::place::Directories;
use crate::pretended::Pretended;
use crate::run::Knowledge;
use crate::sql::SqlDatabases;
use crate::state::ProcedureState;
use sopwith_core::attempt::Attempt;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{
    Answer, Capabilities, Egress, Files, Flow, Journal, Preopen, Probe, RunInfo, Sql, State,
};
use sopwith_core::port::{Clock, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The capabilities of one attempt, all behind one gate.
pub(crate) struct Bundle {
    gate: Arc<Gate>,
    directories: Arc<Directories>,
    run: Knowledge,
    journal: RunJournal,
    state: ProcedureState,
    sql: SqlDatabases,
    flow: HostFlow,
    files: GrantedFiles,
    network: Network,
    calls: AtomicU64,
}

impl Bundle {
    pub(crate) fn new(
        attempt: Attempt,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        trust: Arc<Trust>,
        scratch_directory: &Path,
    ) -> Self {
        let gate = Arc::new(Gate::new(attempt, store, clock));
        let pretended = Arc::new(Pretended::default());
        let directories = Arc::new(Directories::new(Arc::clone(&gate), Arc::clone(&pretended)));
        let databases = Arc::new(Databases::new(Arc::clone(&gate), scratch_directory, pretended));
        let journal = RunJournal::new(Arc::clone(&gate));
        Self {
            run: Knowledge::new(Arc::clone(&gate)),
            state: ProcedureState::new(Arc::clone(&gate)),
            sql: SqlDatabases::new(Arc::clone(&gate), Arc::clone(&databases)),
            flow: HostFlow::new(
                Arc::clone(&gate),
                Arc::clone(&directories),
                databases,
                journal.open_steps(),
            ),
            files: GrantedFiles::new(Arc::clone(&gate), Arc::clone(&directories)),
            network: Network::new(Arc::clone(&gate), trust),
            calls: AtomicU64::new(0),
            journal,
            directories,
            gate,
        }
    }
}

impl Capabilities for Bundle {
    fn run(&self) -> &dyn RunInfo {
        &self.run
    }

    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    fn state(&self) -> &dyn State {
        &self.state
    }

    fn sql(&self) -> &dyn Sql {
        &self.sql
    }

    fn flow(&self) -> &dyn Flow {
        &self.flow
    }

    fn files(&self) -> &dyn Files {
        &self.files
    }

    fn probe(&self) -> &dyn Probe {
        &self.network
    }

    fn egress(&self) -> &dyn Egress {
        &self.network
    }

    fn preopens(&self) -> Vec<Preopen> {
        self.directories.preopens()
    }

    fn count_call(&self) -> Answer<()> {
        let max = self.gate.attempt().limits.calls;
        if self.calls.fetch_add(1, Relaxed) < max {
            return Ok(());
        }
        let message = format!("an attempt may make {max} calls of capabilities");
        Err(Failure::limit("calls", message))
    }

    fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    fn log_bytes(&self) -> u64 {
        self.journal.log_bytes()
    }
}
