//! A command that goes on beside the plugin.

use super::execute::extra;
use super::output::Kept;
use super::running::Running;
use crate::gate::Gate;
use async_trait::async_trait;
use sopwith_core::port::capabilities::{Answer, CommandOutput, Process};
use std::sync::Arc;
use std::time::Duration;

/// A command that was started. Dropped, it is ended with all that came of it.
pub(super) struct BesidePlugin {
    gate: Arc<Gate>,
    running: Running,
    kept: Kept,
}

impl BesidePlugin {
    pub(super) fn new(gate: Arc<Gate>, running: Running, kept: Kept) -> Self {
        Self { gate, running, kept }
    }

    /// Waits until it runs; fails where it cannot be started.
    pub(super) async fn started(&self) -> Answer<()> {
        self.gate.bounded(self.running.started()).await
    }
}

impl Drop for BesidePlugin {
    fn drop(&mut self) {
        let most = self.kept.most();
        self.gate.meter().command_output_bytes.most(most);
    }
}

#[async_trait]
impl Process for BesidePlugin {
    async fn read(&mut self, bytes_max: u64) -> Answer<Vec<u8>> {
        if self.running.ending().is_some() {
            self.kept.ended(self.gate.clock()).await;
        }
        Ok(self.kept.take(usize::try_from(bytes_max).unwrap_or(usize::MAX)))
    }

    fn exit_code(&self) -> Option<i32> {
        // Of one that got lost nobody knows more than that it is of no use any more.
        Some(self.running.ending()?.map_or(-1, |ending| ending.exit_code))
    }

    async fn stop(&mut self, grace: Duration) -> Answer<CommandOutput> {
        self.running.end(grace.min(self.gate.stop().left()));
        let ending = self.gate.bounded(self.running.ended()).await?;
        self.kept.ended(self.gate.clock()).await;
        let mut extra = extra(&ending);
        extra.extend(ending.cause.map(|cause| ("cause".to_owned(), cause.message)));
        Ok(CommandOutput {
            exit_code: ending.exit_code,
            signal: ending.signal,
            stdout: self.kept.take(usize::MAX),
            stderr: Vec::new(),
            truncated: self.kept.is_truncated(),
            elapsed: ending.elapsed,
            extra,
        })
    }
}
