//! What the store keeps of schedules beside their ticks: pauses, and failures in a row.

use super::store::Stored;
use crate::actor::Actor;
use crate::name::{ActionName, ProcedureName};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a pause holds off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PauseScope {
    /// This procedure; none for the whole host.
    pub procedure: Option<ProcedureName>,
    /// This action of it; none for all.
    pub action: Option<ActionName>,
}

impl PauseScope {
    /// The whole host.
    pub const HOST: Self = Self {
        procedure: None,
        action: None,
    };

    /// Whether it holds off ticks of this action.
    pub fn covers(&self, procedure: &ProcedureName, action: &ActionName) -> bool {
        self.procedure.as_ref().is_none_or(|paused| paused == procedure)
            && self.action.as_ref().is_none_or(|paused| paused == action)
    }

    /// Whether whatever the other one holds off is held off by this one as well.
    pub fn contains(&self, other: &Self) -> bool {
        (self.procedure.is_none() || self.procedure == other.procedure)
            && (self.action.is_none() || self.action == other.action)
    }
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.procedure, &self.action) {
            (None, _) => f.write_str("the host"),
            (Some(procedure), None) => write!(f, "`{procedure}`"),
            (Some(procedure), Some(action)) => write!(f, "`{action}` of `{procedure}`"),
        }
    }
}

/// A pause: ticks of what it holds off are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What it holds off.
    pub scope: PauseScope,
    /// Since when.
    pub since: Timestamp,
    /// Who wanted it.
    pub by: Actor,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How many runs of an action ended in a failure since one succeeded, or since it was resumed. Dry runs
/// count for nothing, and one that was cancelled or missed is neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailuresInARow {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// Of this action.
    pub action: ActionName,
    /// How many; at least one.
    pub count: u32,
}

/// What the store keeps of schedules beside their ticks.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// Keeps a pause; false where there is one of that scope already, which stays.
    async fn pause(&self, pause: Pause) -> Stored<bool>;
    /// Ends the pauses that this scope contains, and returns them; failures in a row count from there anew.
    /// The pauses of procedures stay where the whole host is resumed.
    async fn resume(&self, scope: &PauseScope, by: &Actor, at: Timestamp) -> Stored<Vec<Pause>>;
    /// All pauses.
    async fn pauses(&self) -> Stored<Vec<Pause>>;
    /// All actions whose newest run failed.
    async fn failures_in_a_row(&self) -> Stored<Vec<FailuresInARow>>;
}
