//! Runs that wait and can start in time no more.

use crate::attempt::too_late;
use crate::engine::Engine;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::{Run, RunEvent};

impl Engine {
    /// Ends them as missed.
    pub(crate) async fn miss_what_is_overdue(&self) -> Stored<()> {
        let at = self.now();
        let overdue = self.queue().overdue(at);
        for id in overdue {
            let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
            if run.is_overdue(at) {
                self.miss(&run, at).await?;
            }
        }
        Ok(())
    }

    /// Ends a run as missed that can start in time no more.
    pub(crate) async fn miss(&self, run: &Run, at: Timestamp) -> Stored<()> {
        let failure = too_late(run);
        let event = RunEvent::Missed { at, failure };
        match self.end_waiting(run, event, &Actor::Host).await {
            // It got its place just now, or somebody answered it or asked for its end.
            Ok(_) | Err(StoreError::Stale { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
