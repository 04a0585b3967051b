//! A command that was started, as whoever started it holds it.

use super::message::Request;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How far a command is.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    Starting,
    Started,
    Ended(Answer<Ending>),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// 128 and the signal's number where a signal ended it.
    pub(crate) exit_code: i32,
    pub(crate) signal: Option<i32>,
    /// Processes that it left behind, and that were ended.
    pub(crate) left_behind: usize,
    /// From its start.
    pub(crate) elapsed: Duration,
    /// Why the host ended it, where nobody asked for that.
    pub(crate) cause: Option<Failure>,
}

/// A command that was started. Dropped, it is asked to end and then killed.
pub(crate) struct Running {
    requests: mpsc::UnboundedSender<Request>,
    stage: watch::Receiver<Stage>,
}

impl Running {
    pub(super) fn new(requests: mpsc::UnboundedSender<Request>, stage: watch::Receiver<Stage>) -> Self {
        Self { requests, stage }
    }

    /// Waits until it runs; fails where it cannot be started.
    pub(crate) async fn started(&self) -> Answer<()> {
        match self.wait(|stage| !matches!(stage, Stage::Starting)).await {
            Stage::Ended(Err(failure)) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Waits until all of it has ended. An error where it was not started, or got lost.
    pub(crate) async fn ended(&self) -> Answer<Ending> {
        match self.wait(|stage| matches!(stage, Stage::Ended(_))).await {
            Stage::Ended(ended) => ended,
            Stage::Starting | Stage::Started => Err(Self::unwatched()),
        }
    }

    async fn wait(&self, is_reached: impl FnMut(&Stage) -> bool) -> Stage {
        let mut stage = self.stage.clone();
        let reached = stage.wait_for(is_reached).await;
        reached.map_or_else(|_| Stage::Ended(Err(Self::unwatched())), |stage| stage.clone())
    }

    /// The runtime is being shut down.
    fn unwatched() -> Failure {
        Failure::host("the host ends, and the command with it")
    }

    /// How it ended, if it has.
    pub(crate) fn ending(&self) -> Option<Answer<Ending>> {
        match &*self.stage.borrow() {
            Stage::Ended(ended) => Some(ended.clone()),
            Stage::Starting | Stage::Started => None,
        }
    }

    /// Says that all of the input was written. Until then the input stays open, whatever becomes of
    /// the writer.
    pub(crate) fn close_input(&self) {
        // One that has ended needs no input.
        let _ = self.requests.send(Request::CloseInput);
    }

    /// Asks it to end, and has it killed after this time.
    pub(crate) fn end(&self, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let _ = self.requests.send(Request::End { grace_ms });
    }
}
