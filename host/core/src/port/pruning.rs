//! Taking old history away, in portions that hold nobody up.

use super::store::Stored;
use crate::name::ProcedureName;
use crate::run::RunId;
use async_trait::async_trait;
use jiff::Timestamp;

/// A place in the history of a procedure, which is ordered by when runs were queued, and then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the run at this place was queued.
    pub queued_at: Timestamp,
    /// Its id; none for the place before all runs of that instant.
    pub id: Option<RunId>,
}

/// A portion of the history of one procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// The runs after this place; none for the oldest on.
    pub after: Option<Place>,
    /// The runs before this place.
    pub before: Place,
    /// The present.
    pub now: Timestamp,
}

/// What became of a portion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many runs went.
    pub runs: u64,
    /// How many ranges of ticks without runs went.
    pub ranges: u64,
    /// Where to go on; none where nothing more can go.
    pub next: Option<Place>,
}

/// Takes old history away.
///
/// What stays, however old: runs that have not ended; of each action the newest run that was not dry and the
/// newest that passed; of each schedule the run of its newest tick; and runs of findings, as long as these are
/// open or the run that resolved them is kept. Evidence, events and the record of a run go with it. The audit
/// log stays whole.
#[async_trait]
pub trait Pruning: Send + Sync {
    /// The procedures of which there are runs.
    async fn recorded_procedures(&self) -> Stored<Vec<ProcedureName>>;
    /// Where that begins which is kept: runs since this instant, and no more than so many, the newest.
    async fn kept_from(&self, procedure: &ProcedureName, since: Timestamp, runs: u32) -> Stored<Place>;
    /// Takes away as much of a portion as one short transaction can, with its audit entry.
    async fn prune(&self, portion: Portion) -> Stored<Pruned>;
}
