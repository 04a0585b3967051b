//! What a plugin may know of its run, and how it waits.

use crate::gate::Gate;
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::name::GateName;
use sopwith_core::port::capabilities::{Answer, RunInfo, Waited};
use std::sync::Arc;
use std::time::Duration;

/// `sopwith:plugin/run`
pub(crate) struct Knowledge {
    gate: Arc<Gate>,
}

impl Knowledge {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate }
    }
}

#[async_trait]
impl RunInfo for Knowledge {
    fn id(&self) -> String {
        self.gate.attempt().run.id().to_string()
    }

    fn procedure(&self) -> String {
        self.gate.attempt().run.queued.procedure.to_string()
    }

    fn attempt(&self) -> u32 {
        self.gate.attempt().run.attempt
    }

    fn trigger(&self) -> String {
        self.gate.attempt().run.queued.trigger.as_str().to_owned()
    }

    fn scheduled_at(&self) -> Option<Timestamp> {
        self.gate.attempt().run.queued.trigger.scheduled_at()
    }

    fn previous_success(&self) -> Option<Timestamp> {
        self.gate.attempt().previous_success
    }

    fn dry_run(&self) -> bool {
        self.gate.dry_run()
    }

    fn cancelled(&self) -> bool {
        self.gate.attempt().cancel.is_cancelled()
    }

    fn time_left(&self) -> Duration {
        self.gate.stop().left()
    }

    async fn sleep(&self, duration: Duration) -> Answer<()> {
        let sleep = async {
            self.gate.clock().sleep(duration).await;
            Ok(())
        };
        self.gate.bounded(sleep).await
    }

    async fn suspend_until(&self, name: &str, until: Timestamp) -> Answer<Waited<()>> {
        self.gate.stop().check()?;
        let name: GateName = name
            .parse()
            .map_err(|error| Failure::invalid(format!("{error}")))?;
        if self.gate.dry_run() {
            let (call, object) = ("run.suspend-until".to_owned(), format!("{name}: {until}"));
            self.gate.record().durably(Note::Planned { call, object }).await?;
            return Ok(Waited::Over(()));
        }
        let run = &self.gate.attempt().run;
        let Some(wait) = run.wait_until(&name, until, self.gate.clock().now()) else {
            return Ok(Waited::Over(()));
        };
        self.gate.suspend(wait)?;
        Ok(Waited::Suspended)
    }
}
