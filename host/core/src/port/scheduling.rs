//! What the store keeps of schedules beside their ticks: pauses, failures in a row, and what follows on what.

use super::store::{NoRun, Stored};
use crate::actor::Actor;
use crate::name::{ActionName, ProcedureName, ScheduleName};
use crate::run::{Queued, Run, RunId};
use crate::schedule::Overlap;
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

/// A schedule that follows on the runs of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// Its name.
    pub schedule: ScheduleName,
    /// It follows on runs of this procedure.
    pub of_procedure: ProcedureName,
    /// And of this action.
    pub of_action: ActionName,
    /// On those alone that passed, or that did not.
    pub passed: Option<bool>,
}

/// A schedule that follows on a run which has ended, and has not done so yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// The schedule.
    pub schedule: ScheduleName,
    /// The run that has ended.
    pub run: RunId,
}

/// A run that a schedule is to start at once, by an event or after another run.
#[derive(Debug, Clone)]
pub struct Start {
    /// The run; its trigger names the schedule.
    pub queued: Queued,
    /// What it answers to, where that is the end of a run.
    pub owed: Option<Owed>,
    /// What becomes of it while earlier runs have not ended.
    pub overlap: Overlap,
    /// Why it does not start, where that is clear already.
    pub skip: Option<NoRun>,
    /// When it is asked for.
    pub at: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Started {
    /// It is queued.
    Run {
        /// The run.
        run: Box<Run>,
        /// The earlier runs that were told to end; those that waited have ended.
        replaced: Vec<Run>,
    },
    /// It is kept why there is no run.
    Skipped(NoRun),
    /// The end of the run was answered before.
    Settled,
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
    /// Takes over which schedules follow on what: from here on each end of a run is owed to them.
    async fn set_followers(&self, followers: Vec<Follower>) -> Stored<()>;
    /// All that is owed, oldest first.
    async fn owed(&self) -> Stored<Vec<Owed>>;
    /// Forgets what is owed to a schedule that is gone.
    async fn forget_owed(&self, owed: Owed, at: Timestamp) -> Stored<()>;
    /// Queues a run, or keeps why there is none, and settles what is owed with it: in one transaction, with
    /// pauses and the overlap rule decided inside it.
    async fn start(&self, start: Start) -> Stored<Started>;
}
