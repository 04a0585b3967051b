//! The host's memory: runs, ticks, state and the audit log.
//!
//! Nothing here knows of row ids or of locks that a session holds, so that a store for several
//! hosts fits the same port. Every change writes its audit entry in the same transaction, and is
//! durable when the call returns.

use super::capabilities::{OpenFinding, StateEntry};
use super::scheduling::Scheduling;
use crate::actor::Actor;
use crate::attempt::FinishedSteps;
use crate::audit::{AuditEntry, AuditHead, AuditRecord, KeptEntry};
use crate::digest::Digest;
use crate::failure::{Blame, Failure, FailureKind};
use crate::grant::{Denial, GrantUse};
use crate::journal::JournalEntry;
use crate::name::{ActionName, ProcedureName, ScheduleName};
use crate::run::{IllegalTransition, Queued, Run, RunEvent, RunId, RunState, Verdict};
use crate::schedule::{Closed, Overlap};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    /// Somebody else was faster.
    #[error("run `{id}` has gone on: expected event {expected}, found {found}")]
    Stale {
        /// Which run.
        id: RunId,
        /// The epoch that the caller knew.
        expected: u64,
        /// The epoch that is stored.
        found: u64,
    },
    /// The event does not fit the state.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// Something else was asked for under this key before.
    #[error("the key `{key}` belongs to run `{run}`, which is about something else")]
    KeyTaken {
        /// The key.
        key: String,
        /// The run that was asked for under it.
        run: RunId,
    },
    /// A compare-and-set found another version.
    #[error("the stored version is {found}")]
    Conflict {
        /// The version that is stored; 0 for none.
        found: u64,
    },
    /// A cap was reached.
    #[error("there is room for {max} bytes, and {wanted} are wanted")]
    TooLarge {
        /// The cap in bytes.
        max: u64,
        /// What it would come to in bytes.
        wanted: u64,
    },
    /// There are as many as are kept.
    #[error("there is room for {max} versions of a secret")]
    Full {
        /// The cap.
        max: u64,
    },
    /// The value can never be kept, however often it is tried.
    #[error("the value cannot be kept: {0}")]
    Unfit(String),
    /// The disk or the database failed.
    #[error("the record cannot be written or read: {0}")]
    Broken(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Broken(_) => Self::host(error.to_string()).retryable(),
            StoreError::NoRun(_) => Self::new(FailureKind::NotFound, Blame::Operator, error.to_string()),
            StoreError::Conflict { .. } => Self::new(FailureKind::Conflict, Blame::Plugin, error.to_string()),
            StoreError::KeyTaken { .. } => {
                Self::new(FailureKind::Conflict, Blame::Operator, error.to_string())
            }
            StoreError::Unfit(_) => Self::invalid(error.to_string()),
            StoreError::TooLarge { .. } => Self::limit("state", error.to_string()),
            StoreError::Full { .. } => Self::limit("versions", error.to_string()),
            _ => Self::host(error.to_string()),
        }
    }
}

/// The answer of the store.
pub type Stored<T> = Result<T, StoreError>;

/// Which runs are asked for; every field narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFilter {
    /// Of this procedure.
    pub procedure: Option<ProcedureName>,
    /// Of this action.
    pub action: Option<ActionName>,
    /// In one of these states; empty for all.
    pub states: Vec<RunState>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Dry ones alone, or those alone that are not.
    pub dry_run: Option<bool>,
    /// Queued at this instant or later.
    pub since: Option<Timestamp>,
    /// Queued before this instant.
    pub until: Option<Timestamp>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// How the grants of a procedure were used over its recorded runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantHistory {
    /// When the oldest of these runs was queued.
    pub since: Option<Timestamp>,
    /// How often each call of each action used each grant.
    pub uses: Vec<RecordedUse>,
    /// What was denied, the newest first; of a flood of different things only the first.
    pub denials: Vec<RecordedDenial>,
}

/// How often a call of an action used a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedUse {
    /// Of this action.
    pub action: ActionName,
    /// What was used, and how often over all runs.
    pub used: GrantUse,
    /// When last.
    pub last_at: Timestamp,
    /// In which run last.
    pub last_run: RunId,
}

/// Something that was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedDenial {
    /// To this action.
    pub action: ActionName,
    /// As it was denied last.
    pub denial: Denial,
    /// In how many attempts.
    pub times: u64,
    /// When last.
    pub last_at: Timestamp,
    /// In which run last.
    pub last_run: RunId,
}

/// A schedule as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Its procedure.
    pub procedure: ProcedureName,
    /// Its name.
    pub schedule: ScheduleName,
    /// The digest of what decides its instants.
    pub revision: Digest,
    /// Every tick up to this instant is covered by a row.
    pub cursor: Timestamp,
}

/// Why a range of ticks has no runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRun {
    /// Skipped: the run before had not ended.
    Overlap,
    /// Skipped: somebody, or the host, had paused it.
    Paused,
    /// Skipped: it lay in no window.
    OutsideWindow,
    /// Skipped: it lay in a blackout or on a holiday.
    Blackout,
    /// Missed: no host was running.
    Downtime,
    /// Missed: it could not start in time.
    Deadline,
}

impl NoRun {
    /// `skipped(overlap)`, `missed(downtime)`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overlap => "skipped(overlap)",
            Self::Paused => "skipped(paused)",
            Self::OutsideWindow => "skipped(outside_window)",
            Self::Blackout => "skipped(blackout)",
            Self::Downtime => "missed(downtime)",
            Self::Deadline => "missed(deadline)",
        }
    }
}

impl From<Closed> for NoRun {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Window => Self::OutsideWindow,
            Closed::Blackout => Self::Blackout,
        }
    }
}

/// Ticks that have no runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickRange {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: NoRun,
}

/// A claim on all ticks of a schedule up to an instant.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The row as the caller saw it; another cursor or revision refuses the claim.
    pub seen: ScheduleRow,
    /// Every tick up to this instant is covered by this claim.
    pub cursor: Timestamp,
    /// The runs of the newest ticks, all of one action and in order. Where the overlap rule forbids the
    /// first of them, a range with the reason `overlap` takes the place of all.
    pub runs: Vec<Queued>,
    /// What becomes of them while earlier runs have not ended.
    pub overlap: Overlap,
    /// The ticks that get no run.
    pub ranges: Vec<TickRange>,
    /// When the claim is made.
    pub at: Timestamp,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// It holds.
    Held {
        /// Its runs, unless an overlap took their place.
        runs: Vec<Run>,
        /// The earlier runs that were told to end; those that waited have ended.
        replaced: Vec<Run>,
    },
    /// Somebody else was faster, or the schedule was edited.
    Refused,
}

/// What a tick of a schedule came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    /// A run.
    Run(Box<Run>),
    /// One of a range without runs.
    Range(TickRange),
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name within the run.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// The bytes.
    pub content: Vec<u8>,
}

/// The host's memory.
#[async_trait]
pub trait Store: Scheduling {
    /// Makes a run. Where it was asked for under the same key before, that run comes back.
    async fn queue(&self, queued: Queued) -> Stored<Run>;
    /// Changes a run that has seen `epoch` events. A run that comes to its end takes over its
    /// findings: those that it added are open, and those of a check that it carried out to its
    /// end and did not add again are resolved. A dry run leaves findings as they are.
    async fn apply(&self, id: RunId, epoch: u64, event: RunEvent, actor: &Actor) -> Stored<Run>;
    /// One run.
    async fn run(&self, id: RunId) -> Stored<Option<Run>>;
    /// The runs whose ids begin or end with this text; at most ten.
    async fn runs_like(&self, text: &str) -> Stored<Vec<Run>>;
    /// The newest runs that fit, newest first.
    async fn runs(&self, filter: &RunFilter) -> Stored<Vec<Run>>;
    /// All runs that have not ended, oldest first.
    async fn unfinished(&self) -> Stored<Vec<Run>>;
    /// The runs that a run has called, in the order of their ids.
    async fn called_by(&self, caller: RunId) -> Stored<Vec<Run>>;
    /// All events of a run, in order.
    async fn events(&self, id: RunId) -> Stored<Vec<RunEvent>>;
    /// The newest run of this action, not a dry one, that passed.
    async fn last_passed(&self, procedure: &ProcedureName, action: &ActionName) -> Stored<Option<Run>>;
    /// The end of the newest run of this action, not a dry one, that passed.
    async fn previous_success(
        &self,
        procedure: &ProcedureName,
        action: &ActionName,
    ) -> Stored<Option<Timestamp>>;

    /// Adds to the record of a run; durable when it returns.
    async fn record(&self, run: RunId, entries: Vec<JournalEntry>) -> Stored<()>;
    /// Adds to the record of a run, at the latest with the next durable write.
    fn record_soon(&self, run: RunId, entries: Vec<JournalEntry>);
    /// The record of a run after the entry of this number (0: from the start), with numbers.
    async fn journal(&self, run: RunId, after: u64, limit: u32) -> Stored<Vec<(u64, JournalEntry)>>;
    /// The output of each step that finished, by name; `null` for one that was skipped.
    async fn finished_steps(&self, run: RunId) -> Stored<FinishedSteps>;
    /// Keeps a piece of evidence, in the place of an older one of that name.
    async fn attach(&self, run: RunId, attachment: Attachment, entry: JournalEntry) -> Stored<()>;
    /// The evidence of a run.
    async fn attachments(&self, run: RunId) -> Stored<Vec<Attachment>>;
    /// The findings that stand open for a procedure, of one check or of all; the oldest first, as many
    /// as one answer carries.
    async fn open_findings(&self, procedure: &ProcedureName, check: Option<&str>)
    -> Stored<Vec<OpenFinding>>;
    /// How many findings stand open for a procedure.
    async fn open_findings_count(&self, procedure: &ProcedureName) -> Stored<u64>;
    /// How the grants of a procedure were used over its recorded runs, and what was denied.
    async fn grant_history(&self, procedure: &ProcedureName) -> Stored<GrantHistory>;

    /// Takes over the schedules of a generation: a new or edited one starts at `now`, one that
    /// is gone is forgotten. Returns all rows.
    async fn set_schedules(
        &self,
        schedules: &[(ProcedureName, ScheduleName, Digest)],
        now: Timestamp,
    ) -> Stored<Vec<ScheduleRow>>;
    /// The schedules with their cursors.
    async fn schedules(&self) -> Stored<Vec<ScheduleRow>>;
    /// Claims ticks in one transaction, with the overlap rule decided inside it. One with runs is refused
    /// where a pause holds their action off.
    async fn claim(&self, claim: Claim) -> Stored<Claimed>;
    /// What the ticks of a schedule came to that lie in this range, oldest first.
    async fn ticks(
        &self,
        procedure: &ProcedureName,
        schedule: &ScheduleName,
        from: Timestamp,
        to: Timestamp,
    ) -> Stored<Vec<TickOutcome>>;

    /// Reads a value of a procedure's state.
    async fn state(&self, procedure: &ProcedureName, key: &str) -> Stored<Option<StateEntry>>;
    /// Writes one; `expected` 0 means that there is none. All keys and values of the procedure
    /// together may have `bytes_max` bytes.
    async fn set_state(
        &self,
        procedure: &ProcedureName,
        key: &str,
        value: Vec<u8>,
        expected: Option<u64>,
        bytes_max: u64,
    ) -> Stored<u64>;
    /// Forgets one.
    async fn delete_state(&self, procedure: &ProcedureName, key: &str) -> Stored<()>;
    /// Lists the keys that begin with this.
    async fn state_keys(&self, procedure: &ProcedureName, prefix: &str) -> Stored<Vec<String>>;
    /// The bytes of all keys and values of a procedure.
    async fn state_bytes(&self, procedure: &ProcedureName) -> Stored<u64>;

    /// Adds an entry for a change that lies outside the store.
    async fn audit(&self, record: AuditRecord) -> Stored<AuditEntry>;
    /// Entries after this number.
    async fn audit_entries(&self, after: u64, limit: u32) -> Stored<Vec<KeptEntry>>;
    /// The end of the chain.
    async fn audit_head(&self) -> Stored<AuditHead>;
}
