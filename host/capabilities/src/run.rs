//! What a plugin may know of its run, and how it waits.

use crate::gate::Gate;
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::capabilities::{Answer, RunInfo};
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
}
