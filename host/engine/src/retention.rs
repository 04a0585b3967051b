//! Keeps the history bounded: takes away what is older, or more, than is to be kept.

use crate::engine::Engine;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{Portion, Pruned, Pruning, Stored};
use sopwith_core::retention::Retention;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long after its start a host looks for the first time: others have more to do then.
const FIRST_AFTER: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// How long it leaves the record to others between two portions.
const REST: Duration = Duration::from_millis(20);

impl Engine {
    /// Takes old history away, from time to time, until it is told to stop.
    pub async fn prune_history(&self, history: &dyn Pruning, stop: CancellationToken) {
        let mut wait = FIRST_AFTER;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock().sleep(wait) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                pruned = self.prune_all(history) => if let Err(error) = pruned {
                    tracing::error!(%error, "old history cannot be taken away; trying again in an hour");
                }
            }
            wait = LOOK_EVERY;
        }
    }

    /// Takes away what may go now, of each procedure that has runs.
    async fn prune_all(&self, history: &dyn Pruning) -> Stored<()> {
        for procedure in history.recorded_procedures().await? {
            let Pruned { runs, ranges, .. } = self.prune_one(history, &procedure).await?;
            if runs > 0 || ranges > 0 {
                tracing::info!(%procedure, runs, ranges, "old history is taken away");
            }
        }
        Ok(())
    }

    async fn prune_one(&self, history: &dyn Pruning, procedure: &ProcedureName) -> Stored<Pruned> {
        let Retention { keep, keep_runs } = self.retention(procedure);
        let now = self.now();
        let since = now.checked_sub(keep).unwrap_or(jiff::Timestamp::MIN);
        let mut portion = Portion {
            procedure: procedure.clone(),
            after: None,
            before: history.kept_from(procedure, since, keep_runs).await?,
            now,
        };
        let mut all = Pruned::default();
        loop {
            let pruned = history.prune(portion.clone()).await?;
            all.runs += pruned.runs;
            all.ranges += pruned.ranges;
            if pruned.next.is_none() {
                return Ok(all);
            }
            portion.after = pruned.next;
            self.clock().sleep(REST).await;
        }
    }

    /// That of the procedure; one that was removed has that of the host.
    fn retention(&self, procedure: &ProcedureName) -> Retention {
        let generation = self.generation();
        let ready = generation.procedures.get(procedure);
        ready.map_or(generation.host.retention, |ready| ready.procedure.retention)
    }
}
