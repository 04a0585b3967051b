//! The real capabilities, watched.

use super::memory::Lookout;
use async_trait::async_trait;
use sopwith_capabilities::Provider;
use sopwith_core::attempt::{Attempt, CapabilityProvider};
use sopwith_core::failure::Failure;
use sopwith_core::limits::Usage;
use sopwith_core::port::capabilities::{
    Answer, Approvals, Capabilities, Commands, Cover, Egress, Files, Flow, Journal, Preopen, Probe,
    Procedures, RunInfo, SecretReveal, Secrets, Sql, State,
};
use sopwith_core::run::{RunId, Wait};
use std::fs::File;
use std::sync::Arc;

/// The real capabilities, with a look at the host's memory before each call.
pub(super) struct Watched {
    pub(super) provider: Provider,
    pub(super) lookout: Arc<Lookout>,
}

struct WatchedCapabilities {
    real: Arc<dyn Capabilities>,
    lookout: Arc<Lookout>,
}

#[async_trait]
impl CapabilityProvider for Watched {
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure> {
        Ok(Arc::new(WatchedCapabilities {
            real: self.provider.open(attempt).await?,
            lookout: Arc::clone(&self.lookout),
        }))
    }

    async fn end_run(&self, run: RunId) {
        self.provider.end_run(run).await;
    }

    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure> {
        self.provider.sweep(live).await
    }
}

#[async_trait]
impl Capabilities for WatchedCapabilities {
    fn run(&self) -> &dyn RunInfo {
        self.real.run()
    }

    fn journal(&self) -> &dyn Journal {
        self.real.journal()
    }

    fn approvals(&self) -> &dyn Approvals {
        self.real.approvals()
    }

    fn state(&self) -> &dyn State {
        self.real.state()
    }

    fn sql(&self) -> &dyn Sql {
        self.real.sql()
    }

    fn flow(&self) -> &dyn Flow {
        self.real.flow()
    }

    fn files(&self) -> &dyn Files {
        self.real.files()
    }

    fn probe(&self) -> &dyn Probe {
        self.real.probe()
    }

    fn commands(&self) -> &dyn Commands {
        self.real.commands()
    }

    fn secrets(&self) -> &dyn Secrets {
        self.real.secrets()
    }

    fn secret_reveal(&self) -> &dyn SecretReveal {
        self.real.secret_reveal()
    }

    fn procedures(&self) -> &dyn Procedures {
        self.real.procedures()
    }

    fn egress(&self) -> &dyn Egress {
        self.real.egress()
    }

    fn preopens(&self) -> Vec<Preopen> {
        self.real.preopens()
    }

    fn close_file(&self, file: File) {
        self.real.close_file(file);
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        self.real.cover()
    }

    async fn settle(&self) {
        self.real.settle().await;
    }

    fn suspension(&self) -> Option<Wait> {
        self.real.suspension()
    }

    /// Before each call the answer of the last one is still there.
    fn count_call(&self) -> Answer<()> {
        self.lookout.look();
        self.real.count_call()
    }

    /// The same after the last one.
    fn used(&self) -> Usage {
        self.lookout.look();
        self.real.used()
    }
}
