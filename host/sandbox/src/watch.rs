//! Ends a guest whose time is up or that somebody asked to end, whatever it is doing.

use crate::ending::Stop;
use crate::processor::Processor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::Limits;
use sopwith_core::port::Clock;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a host call may go on after the end, so that it can answer for itself. A guest that
/// computes is ended by the next tick.
const HOST_CALL_GRACE: Duration = Duration::from_millis(50);

/// Knows when a guest has to end.
pub(crate) struct Watch {
    clock: Arc<dyn Clock>,
    began: Duration,
    timeout: Duration,
    cpu_max: Duration,
    cancel: CancellationToken,
    processor: Processor,
}

impl Watch {
    pub(crate) fn begin(clock: Arc<dyn Clock>, limits: &Limits, cancel: CancellationToken) -> Self {
        Self {
            began: clock.monotonic(),
            clock,
            timeout: limits.timeout,
            cpu_max: limits.cpu,
            cancel,
            processor: Processor::default(),
        }
    }

    /// Drives a guest until it comes to its end or has to.
    pub(crate) async fn guard<T>(
        &self,
        guest: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        if self.cancel.is_cancelled() {
            return Err(Stop::error(Failure::cancelled()));
        }
        let mut guest = pin!(guest);
        let measured = std::future::poll_fn(|context| match self.processor.poll(guest.as_mut(), context) {
            Poll::Pending if self.processor.spent() > self.cpu_max => {
                Poll::Ready(Err(Stop::error(self.out_of_processor_time())))
            }
            polled => polled,
        });
        tokio::select! {
            biased;
            ended = measured => ended,
            failure = self.end() => Err(Stop::error(failure)),
        }
    }

    /// Fails when a guest that computes, on this thread and now, has to end.
    pub(crate) fn check(&self) -> wasmtime::Result<()> {
        let failure = if self.cancel.is_cancelled() {
            Failure::cancelled()
        } else if self.wall() >= self.timeout {
            self.out_of_time()
        } else if self.processor.spent_so_far() > self.cpu_max {
            self.out_of_processor_time()
        } else {
            return Ok(());
        };
        Err(Stop::error(failure))
    }

    /// Whether somebody asked the guest to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The time since it began.
    pub(crate) fn wall(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.began)
    }

    /// The processor time it has spent.
    pub(crate) fn processor_time(&self) -> Duration {
        self.processor.spent()
    }

    /// Waits until a guest that sits in a host call has to end.
    async fn end(&self) -> Failure {
        let left = self.timeout.saturating_sub(self.wall());
        let failure = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Failure::cancelled(),
            () = self.clock.sleep(left) => self.out_of_time(),
        };
        self.clock.sleep(HOST_CALL_GRACE).await;
        failure
    }

    fn out_of_time(&self) -> Failure {
        let message = format!("the attempt has used up its time of {:?}", self.timeout);
        Failure::new(FailureKind::Timeout, Blame::Plugin, message)
            .with("limit", "timeout")
            .hint("raise `timeout` under [limits] if the work needs it")
    }

    fn out_of_processor_time(&self) -> Failure {
        let message = format!("the plugin has used up its processor time of {:?}", self.cpu_max);
        Failure::limit("cpu", message).hint("raise `cpu` under [limits] if the work needs it")
    }
}
