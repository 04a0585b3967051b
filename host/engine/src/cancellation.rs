//! Runs that people want to end.

use crate::engine::Engine;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::{Run, RunEvent, RunId, RunState};

/// Why a run could not be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelRefused {
    /// It has come to its end already, or somebody asked for one already.
    #[error("run `{id}` is `{state}`{}", if *.asked { " and was asked to end already" } else { "" })]
    TooLate {
        /// Which run.
        id: RunId,
        /// Where it stands.
        state: &'static str,
        /// Whether it was asked to end before.
        asked: bool,
    },
    /// The record cannot be read or written, or there is no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CancelRefused> for Failure {
    fn from(refused: CancelRefused) -> Self {
        match refused {
            CancelRefused::TooLate { .. } => {
                Self::new(FailureKind::Conflict, Blame::Operator, refused.to_string())
            }
            CancelRefused::Store(error) => error.into(),
        }
    }
}

impl Engine {
    /// Asks a run to end. One that waits ends at once; one that is under way is told, also in
    /// the middle of a call of the host.
    pub async fn cancel(&self, id: RunId, by: Actor) -> Result<Run, CancelRefused> {
        let run = match self.request_end(id, &by).await {
            Ok(run) => run,
            Err(refused) => {
                // It may have been asked before, or just now, with an answer that never came.
                self.look_again(id);
                return Err(refused);
            }
        };
        if run.state == RunState::Running {
            self.queue().interrupt(id);
            return Ok(run);
        }
        let event = RunEvent::Cancelled {
            at: self.now(),
            failure: Failure::cancelled(),
        };
        // Where that fails, or it got its place just now, it ends before its attempt starts.
        Ok(self.end_waiting(&run, event, &by).await.unwrap_or(run))
    }

    async fn request_end(&self, id: RunId, by: &Actor) -> Result<Run, CancelRefused> {
        loop {
            let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
            if run.state.is_final() || run.cancelled_by.is_some() {
                return Err(CancelRefused::TooLate {
                    id,
                    state: run.state.as_str(),
                    asked: run.cancelled_by.is_some(),
                });
            }
            let event = RunEvent::CancelRequested {
                at: self.now(),
                by: by.clone(),
                replaced_by: None,
            };
            match self.store().apply(id, run.epoch, event, by).await {
                // It has gone on meanwhile.
                Err(StoreError::Stale { .. }) => {}
                answer => return Ok(answer?),
            }
        }
    }

    /// Ends a run that waits, unless it has gone on since.
    pub(crate) async fn end_waiting(&self, run: &Run, event: RunEvent, by: &Actor) -> Stored<Run> {
        let id = run.id();
        match self.store().apply(id, run.epoch, event, by).await {
            Ok(run) => {
                self.after_waiting(&run).await;
                Ok(run)
            }
            Err(error) => {
                self.look_again(id);
                Err(error)
            }
        }
    }

    /// Looks at a run of which there may be news that nobody heard, since an answer of the record was lost.
    pub(crate) fn look_again(&self, id: RunId) {
        let engine = self.clone();
        tokio::spawn(async move {
            let Ok(Some(run)) = engine.insist(id, || engine.store().run(id)).await else {
                return;
            };
            let asked_to_end = run.cancelled_by.is_some();
            if run.state.is_final() {
                let slept = engine.forget_sleeper(id);
                if engine.queue().waits(id) || slept {
                    engine.after_waiting(&run).await;
                } else {
                    // Of this one nothing was known, or somebody has cleared up; twice does no harm.
                    engine.insist_on_ending_called(&run).await;
                    engine.capabilities().end_run(id).await;
                }
            } else if run.state != RunState::Running {
                if asked_to_end {
                    engine.line_up(&run);
                } else {
                    engine.enqueue(&run);
                }
            } else if asked_to_end {
                engine.queue().interrupt(id);
            }
        });
    }

    /// What comes after the end of a run that waited.
    async fn after_waiting(&self, run: &Run) {
        let id = run.id();
        self.queue().remove(id);
        Box::pin(self.insist_on_ending_called(run)).await;
        self.clear_up(run).await;
        if let Some(caller) = run.queued.trigger.caller() {
            self.wake_caller(caller);
        }
        self.tell_end(id);
        // It may have held back others that need the same locks.
        self.start_what_can();
    }

    /// What comes after a newer run took the place of this one.
    pub(crate) async fn after_replacement(&self, run: &Run) {
        if run.state.is_final() {
            self.after_waiting(run).await;
        } else {
            self.queue().interrupt(run.id());
        }
    }
}
