//! Waiting for a run to come to its end.

use crate::engine::Engine;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::StoreError;
use sopwith_core::run::{Run, RunId};

/// Why nobody can say how a run ended.
#[derive(Debug, thiserror::Error)]
pub enum NoEnd {
    /// This host comes to its own end before.
    #[error("the host is shutting down, and run `{0}` waits for the next one")]
    Stopping(RunId),
    /// The record cannot be read, or there is no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoEnd> for Failure {
    fn from(no_end: NoEnd) -> Self {
        match no_end {
            NoEnd::Stopping(_) => Self::new(FailureKind::Unavailable, Blame::Host, no_end.to_string()),
            NoEnd::Store(error) => error.into(),
        }
    }
}

impl Engine {
    /// Waits for a run to come to its end, or, unless it is to be seen `through`, to where it waits for
    /// people or for an instant.
    pub async fn wait(&self, id: RunId, through: bool) -> Result<Run, NoEnd> {
        let mut ends = self.ends();
        loop {
            // In this order, so that what happens in between shows in what is looked at later.
            let stopping = self.is_stopping();
            let under_way = self.queue().is_running(id);
            let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
            if run.state.is_final() || (run.state.is_waiting() && !through) {
                return Ok(run);
            }
            if stopping && !under_way {
                return Err(NoEnd::Stopping(id));
            }
            let ended = async {
                // A listener that fell behind has missed ends and simply asks again.
                while ends.recv().await.is_ok_and(|ended| ended != id) {}
            };
            tokio::select! {
                () = ended => {}
                () = self.stopping().cancelled(), if !stopping => {}
            }
        }
    }
}
