//! How an attempt ends: what comes after it, and that this is written down.

use crate::engine::Engine;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::limits::Usage;
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::{AttemptEnd, Run, RunEvent, RunId, RunState};
use std::time::Duration;

/// How long the host waits before it asks a record again that is broken.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Engine {
    /// What comes after an attempt that came to no report: the end, or another attempt.
    pub(crate) fn after_failure(
        &self,
        run: &Run,
        ready: &ReadyProcedure,
        failure: Failure,
        usage: Usage,
    ) -> RunEvent {
        let at = self.now();
        let cause = if is_out_of_time(&failure) {
            AttemptEnd::TimedOut
        } else {
            AttemptEnd::Failed
        };
        let retry = &ready.procedure.retry;
        RunEvent::AttemptFailed {
            at,
            cause,
            retry_at: retry.next(at, run.attempt, cause, &failure, self.random()),
            failure,
            usage: Some(usage),
        }
    }

    /// What comes after an attempt that was told to end: by somebody, or by the end of the host.
    pub(crate) async fn after_interruption(&self, run: &Run, failure: Failure) -> RunEvent {
        let decide = || async {
            let now = self.store().run(run.id()).await?;
            let at = self.now();
            match now {
                Some(now) if now.replaced_by.is_some() => {
                    let failure = now.asked_to_end();
                    return Ok(RunEvent::Cancelled { at, failure });
                }
                Some(now) if now.cancelled_by.is_none() => {}
                _ => {
                    let failure = failure.clone();
                    return Ok(RunEvent::Cancelled { at, failure });
                }
            }
            let reason = if self.is_stopping() {
                "the host was shut down"
            } else {
                "the run that called it was ended"
            };
            self.cut_off(run, reason).await
        };
        match self.insist(run.id(), decide).await {
            Ok(event) => event,
            Err(error) => RunEvent::AttemptFailed {
                at: self.now(),
                cause: AttemptEnd::Lost,
                failure: error.into(),
                retry_at: None,
                usage: None,
            },
        }
    }

    /// Ends a run whose attempt took the host's own task with it.
    pub(crate) async fn fail_after_panic(&self, id: RunId) -> Option<Run> {
        let run = self.insist(id, || self.store().run(id)).await.ok()??;
        if run.state != RunState::Running {
            return Some(run).filter(|run| run.state.is_final());
        }
        let failure = Failure::host("the host panicked in the middle of the attempt")
            .hint("its standard error has the place; it is a defect of Sopwith");
        let event = RunEvent::AttemptFailed {
            at: self.now(),
            cause: AttemptEnd::Failed,
            failure,
            retry_at: None,
            usage: None,
        };
        Some(self.write_down(run, event).await)
    }

    /// Writes down how the attempt ended, however long that takes: an outcome is never lost
    /// while the host lives, and after a crash the run counts as cut off.
    pub(crate) async fn write_down(&self, mut run: Run, mut event: RunEvent) -> Run {
        let id = run.id();
        loop {
            let told = unless_asked_to_end(&run, event.clone());
            let write = || self.store().apply(id, run.epoch, told.clone(), &Actor::Host);
            match self.insist(id, write).await {
                Ok(run) => return run,
                Err(StoreError::Stale { .. }) => match self.insist(id, || self.store().run(id)).await {
                    // Somebody asked for an end meanwhile.
                    Ok(Some(now)) if now.state == RunState::Running => run = now,
                    // It was written down, and only the answer was lost.
                    Ok(Some(now)) => return now,
                    _ => return run,
                },
                // What the plugin reported can never be kept; that it did so can.
                Err(error @ StoreError::Unfit(_)) if matches!(told, RunEvent::Succeeded { .. }) => {
                    event = unkept(event.at(), error);
                }
                Err(error) => {
                    tracing::error!(run = %id, %error, "the end of the attempt was refused");
                    return run;
                }
            }
        }
    }

    /// Asks the record until it answers.
    pub(crate) async fn insist<T, F>(&self, id: RunId, mut ask: impl FnMut() -> F) -> Stored<T>
    where
        F: Future<Output = Stored<T>>,
    {
        loop {
            match ask().await {
                Err(StoreError::Broken(why)) => {
                    tracing::error!(run = %id, why, "the end of the attempt cannot be recorded; trying again");
                    self.clock().sleep(ASK_AGAIN_AFTER).await;
                }
                answer => return answer,
            }
        }
    }

    /// Waits before a broken record is asked again, but not beyond the end of the host.
    pub(crate) async fn rest(&self) {
        tokio::select! {
            () = self.clock().sleep(ASK_AGAIN_AFTER) => {}
            () = self.stopping().cancelled() => {}
        }
    }
}

/// The end of an attempt whose report cannot be kept.
fn unkept(at: Timestamp, error: StoreError) -> RunEvent {
    RunEvent::AttemptFailed {
        at,
        cause: AttemptEnd::Failed,
        failure: error.into(),
        retry_at: None,
        usage: None,
    }
}

/// A run that somebody asked to end gets no further attempt; a success stands nevertheless.
fn unless_asked_to_end(run: &Run, event: RunEvent) -> RunEvent {
    match event {
        RunEvent::AttemptFailed { at, failure, .. } if run.cancelled_by.is_some() => {
            let failure = if run.replaced_by.is_some() {
                run.asked_to_end()
            } else {
                failure
            };
            RunEvent::Cancelled { at, failure }
        }
        RunEvent::Interrupted { at, .. } if run.cancelled_by.is_some() => RunEvent::Cancelled {
            at,
            failure: run.asked_to_end(),
        },
        RunEvent::Suspended { at, .. } if run.cancelled_by.is_some() => RunEvent::Cancelled {
            at,
            failure: Failure::cancelled(),
        },
        event => event,
    }
}

/// Whether the attempt's own time was up; a call that took too long is an ordinary failure.
fn is_out_of_time(failure: &Failure) -> bool {
    let mut extra = failure.extra.iter();
    failure.kind == FailureKind::Timeout && extra.any(|(name, value)| name == "limit" && value == "timeout")
}
