//! Everything that one attempt can do.

use crate::approvals::People;
use crate::commands::{HostCommands, Launcher};
use crate::databases::{Databases, Workplace};
use crate::files::GrantedFiles;
use crate::flow::HostFlow;
use crate::gate::Gate;
use crate::held;
use crate::journal::RunJournal;
use crate::network::{Network, Trust};
use crate::place::Directories;
use crate::pretended::Pretended;
use crate::procedures::OtherProcedures;
use crate::redaction::Redactor;
use crate::run::Knowledge;
use crate::secrets::{GrantedSecrets, Vault};
use crate::sql::SqlDatabases;
use crate::state::ProcedureState;
use async_trait::async_trait;
use sopwith_core::attempt::Attempt;
use sopwith_core::failure::Failure;
use sopwith_core::limits::Usage;
use sopwith_core::port::capabilities::{
    Answer, Approvals, Capabilities, Commands, Cover, Egress, Files, Flow, Journal, Preopen, Probe,
    Procedures, RunInfo, SecretReveal, Secrets, Sql, State,
};
use sopwith_core::port::{Clock, Store};
use sopwith_core::run::Wait;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The capabilities of one attempt, all behind one gate.
pub(crate) struct Bundle {
    gate: Arc<Gate>,
    databases: Arc<Databases>,
    directories: Arc<Directories>,
    run: Knowledge,
    journal: RunJournal,
    people: People,
    state: ProcedureState,
    sql: SqlDatabases,
    flow: HostFlow,
    files: GrantedFiles,
    network: Network,
    commands: Arc<HostCommands>,
    secrets: GrantedSecrets,
    procedures: OtherProcedures,
    calls: AtomicU64,
}

/// What the capabilities of all attempts have in common.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) name_servers: Arc<[SocketAddr]>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) workplace: Workplace,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) vault: Arc<Vault>,
}

impl Bundle {
    pub(crate) fn new(attempt: Attempt, shared: &Shared) -> Self {
        let (store, clock) = (Arc::clone(&shared.store), Arc::clone(&shared.clock));
        let (redactor, vault) = (Arc::clone(&shared.redactor), Arc::clone(&shared.vault));
        let gate = Arc::new(Gate::new(attempt, Arc::clone(&store), clock, redactor));
        let pretended = Arc::new(Pretended::default());
        let directories = Arc::new(Directories::new(Arc::clone(&gate), Arc::clone(&pretended)));
        let databases = Arc::new(Databases::new(
            Arc::clone(&gate),
            &shared.workplace,
            Arc::clone(&pretended),
        ));
        let commands = Arc::new(HostCommands::new(
            Arc::clone(&gate),
            Arc::clone(&databases),
            Arc::clone(&shared.launcher),
            Arc::clone(&vault),
        ));
        let journal = RunJournal::new(Arc::clone(&gate));
        Self {
            run: Knowledge::new(Arc::clone(&gate)),
            people: People::new(Arc::clone(&gate)),
            state: ProcedureState::new(Arc::clone(&gate)),
            sql: SqlDatabases::new(Arc::clone(&gate), Arc::clone(&databases)),
            flow: HostFlow::new(
                Arc::clone(&gate),
                Arc::clone(&directories),
                Arc::clone(&databases),
                Arc::clone(&commands),
                journal.open_steps(),
            ),
            files: GrantedFiles::new(Arc::clone(&gate), Arc::clone(&directories)),
            network: Network::new(
                Arc::clone(&gate),
                Arc::clone(&shared.trust),
                &shared.name_servers,
                Arc::clone(&vault),
            ),
            procedures: OtherProcedures::new(Arc::clone(&gate), Arc::clone(&databases), journal.open_steps()),
            secrets: GrantedSecrets::new(Arc::clone(&gate), vault, store, pretended),
            commands,
            calls: AtomicU64::new(0),
            journal,
            databases,
            directories,
            gate,
        }
    }
}

#[async_trait]
impl Capabilities for Bundle {
    fn run(&self) -> &dyn RunInfo {
        &self.run
    }

    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    fn approvals(&self) -> &dyn Approvals {
        &self.people
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

    fn commands(&self) -> &dyn Commands {
        &*self.commands
    }

    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    fn secret_reveal(&self) -> &dyn SecretReveal {
        &self.secrets
    }

    fn procedures(&self) -> &dyn Procedures {
        &self.procedures
    }

    fn egress(&self) -> &dyn Egress {
        &self.network
    }

    fn preopens(&self) -> Vec<Preopen> {
        self.directories.preopens()
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        let mask = self.gate.mask();
        (!mask.is_idle()).then(|| Box::new(mask) as Box<dyn Cover>)
    }

    fn close_file(&self, file: File) {
        held::close(file);
    }

    async fn settle(&self) {
        self.gate.settle().await;
        self.gate.attempt().calls.settle().await;
        self.commands.settle().await;
        if let Some(used) = self.gate.used() {
            self.gate.record().soon(used);
        }
    }

    fn suspension(&self) -> Option<Wait> {
        self.gate.suspension()
    }

    fn count_call(&self) -> Answer<()> {
        self.gate.record().check_room()?;
        let max = self.gate.attempt().limits.calls;
        if self.calls.fetch_add(1, Relaxed) < max {
            return Ok(());
        }
        let message = format!("an attempt may make {max} calls of capabilities");
        Err(Failure::limit("calls", message))
    }

    fn used(&self) -> Usage {
        self.databases.measure_scratches();
        let (budget, meter) = (self.journal.budget(), self.gate.meter());
        Usage {
            calls: self.calls.load(Relaxed),
            output_bytes: budget.output_bytes(),
            log_bytes: budget.log_bytes(),
            findings: budget.findings(),
            attachments_bytes: budget.attachments_bytes(),
            state_bytes: meter.state_bytes.get(),
            rows: meter.rows.get(),
            query_bytes: meter.query_bytes.get(),
            http_body_bytes: meter.http_body_bytes.get(),
            command_output_bytes: meter.command_output_bytes.get(),
            scratch_bytes: meter.scratch_bytes.get(),
            ..Usage::default()
        }
    }
}
