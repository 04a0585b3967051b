//! What people and programs can ask of a host: the same in the process and over its socket.
//!
//! An implementation acts for one actor, who is fixed when it is made.

pub use super::audit_operations::{
    AnchorStatus, AuditExport, AuditOperations, AuditPage, AuditStatus, AuditVerdict, ExportRange,
};
use super::capabilities::OpenFinding;
use super::reloads::{Rollback, RolledBack};
use super::scheduling::{Pause, PauseScope};
use super::secrets::{SecretSet, SecretStatus};
use super::store::{NoRun, RecordedDenial, RunFilter, TickOutcome};
use crate::digest::Digest;
use crate::failure::{Blame, Failure, FailureKind};
use crate::generation::{HeldPlugin, PluginOrigin, PluginSignature};
use crate::grant::{Access, Denial, ResourceKind};
use crate::journal::JournalEntry;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::moment::Moment;
use crate::name::{ActionName, EventName, GateName, PluginName, ProcedureName, ResourceName, ScheduleName};
use crate::run::{Run, RunEvent, RunId};
use crate::secret::{Secret, SecretValue};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A run that somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Which procedure.
    pub procedure: ProcedureName,
    /// Which action; none for the procedure's default.
    #[serde(default)]
    pub action: Option<ActionName>,
    /// What the run is told, before defaults are filled in.
    #[serde(default)]
    pub inputs: Value,
    /// Whether it may change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether it runs although its procedure is paused.
    #[serde(default)]
    pub even_paused: bool,
    /// A key of the asker's own: who asks again under it gets the same run.
    #[serde(default)]
    pub key: Option<String>,
    /// The run that this one repeats.
    #[serde(default)]
    pub retry_of: Option<RunId>,
}

impl Submission {
    /// A run of the default action with nothing said to it.
    pub fn of(procedure: ProcedureName) -> Self {
        Self {
            procedure,
            action: None,
            inputs: Value::Object(Map::new()),
            dry_run: false,
            key: None,
            retry_of: None,
            even_paused: false,
        }
    }

    /// What is wrong with the question itself. A key of nothing comes of a variable that is not set, and would
    /// give whatever was run under it once, for ever.
    pub fn check(&self) -> Result<(), Failure> {
        if self.key.as_ref().is_none_or(|key| !key.trim().is_empty()) {
            return Ok(());
        }
        let message = format!(
            "the key for the run of `{}` is empty, and nothing was run",
            self.procedure
        );
        let failure = Failure::new(FailureKind::Invalid, Blame::Operator, message);
        Err(failure.hint(
            "is a variable not set? give what is different for each run that you want, such as the number of a \
             build; without `--key` each call is a run of its own",
        ))
    }
}

/// What somebody answers to what a run asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The gate, or the item; none for whatever the run asks.
    pub name: Option<GateName>,
    /// Whether the run may go on, or the thing was done or seen.
    pub approved: bool,
    /// What they say of it.
    pub note: String,
    /// Whether the run goes on in spite of the gate; the note is the reason.
    #[serde(default)]
    pub breaks_glass: bool,
    /// The digest of what they had before them, where they want to be sure.
    #[serde(default)]
    pub seen: Option<Digest>,
}

/// What an operator wants to see first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Of Sopwith.
    pub version: String,
    /// When this host came up.
    pub up_since: Timestamp,
    /// The digest of what is in force.
    pub generation: Digest,
    /// What became of the newest change of a file.
    pub reload: ReloadStatus,
    /// The procedures in force.
    pub procedures: Vec<ProcedureStatus>,
    /// The runs that have not ended.
    pub unfinished: Vec<Run>,
    /// What is paused.
    #[serde(default)]
    pub pauses: Vec<Pause>,
}

/// What became of the newest change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadStatus {
    /// When.
    pub at: Timestamp,
    /// Whether it is in force.
    pub accepted: bool,
    /// Whether what is in force is the last good one that was kept, since the files are broken.
    pub kept: bool,
    /// What was wrong, or worth a warning, as `check` says it.
    pub diagnostics: Vec<String>,
    /// The plugins that somebody went back with.
    #[serde(default)]
    pub rolled_back: BTreeMap<PluginName, RolledBack>,
}

/// One procedure as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcedureStatus {
    /// Its name.
    pub name: ProcedureName,
    /// What the operator says of it.
    pub summary: String,
    /// Whom to ask about it.
    pub owner: Option<String>,
    /// The operator's own version of it.
    pub version: Option<u32>,
    /// What carries it out.
    pub plugin: PluginName,
    /// The bytes that carry it out.
    pub plugin_digest: Digest,
    /// A newer version of the plugin that waits for grants.
    pub held: Option<HeldPlugin>,
    /// Its actions that have run or will.
    pub actions: Vec<ActionStatus>,
    /// What the actions lack that cannot run.
    pub unavailable: BTreeMap<ActionName, Vec<Denial>>,
    /// How many findings stand open.
    pub open_findings: u64,
}

/// One action of a procedure as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionStatus {
    /// Its name.
    pub action: ActionName,
    /// Its newest run.
    pub last_run: Option<Run>,
    /// When it passed last.
    pub last_passed_at: Option<Timestamp>,
    /// When a schedule starts it next.
    pub next_at: Option<Timestamp>,
}

/// Everything about one run but its record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// The run.
    pub run: Run,
    /// What happened to it.
    pub events: Vec<RunEvent>,
    /// The limits of its procedure, where that is still in force.
    pub limits: Option<Limits>,
    /// Names, media types and sizes in bytes of its evidence.
    pub attachments: Vec<(String, String, u64)>,
}

/// A plugin that is at hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginDetails {
    /// The name by which procedures ask for it.
    pub name: PluginName,
    /// Where it came from.
    pub origin: PluginOrigin,
    /// Who signed it.
    pub signature: Option<PluginSignature>,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The number of its bytes.
    pub bytes: u64,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The procedures that it carries out.
    pub used_by: Vec<ProcedureName>,
    /// Whether somebody went back to it from the file in the folder.
    #[serde(default)]
    pub rolled_back: Option<RolledBack>,
}

/// Which coming instants are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingFilter {
    /// Of this procedure.
    pub procedure: Option<ProcedureName>,
    /// From then on, by the clocks of each schedule; none for now.
    pub from: Option<Moment>,
    /// Before then, or up to the end of that day.
    pub until: Option<Moment>,
    /// At most so many, the first.
    pub count: Option<u32>,
}

/// An instant that a schedule names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingTick {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// Of this schedule.
    pub schedule: ScheduleName,
    /// What it starts.
    pub action: ActionName,
    /// The instant.
    pub at: Timestamp,
    /// The same in the schedule's time zone.
    pub local: String,
    /// Whether the clocks change on that day.
    pub near_clock_change: bool,
    /// When it starts, by its jitter and where it waits for a window; none where it is skipped, or waits for
    /// ever.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Why it does not start at its instant, where its schedule's calendar does not allow that.
    #[serde(default)]
    pub closed: Option<NoRun>,
}

/// What ticks of one schedule came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Of this schedule.
    pub schedule: ScheduleName,
    /// The ticks, oldest first.
    pub ticks: Vec<TickOutcome>,
    /// The next instant.
    pub next_at: Option<Timestamp>,
    /// What holds its ticks off now.
    #[serde(default)]
    pub paused: Option<Pause>,
}

/// What an event came to for one schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Triggered {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// The schedule.
    pub schedule: ScheduleName,
    /// Its run.
    pub run: Option<Run>,
    /// Why there is none.
    pub skipped: Option<NoRun>,
}

/// What a procedure is granted, and what became of it over the recorded runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureGrants {
    /// Its name.
    pub procedure: ProcedureName,
    /// Where the grants are written.
    pub file: PathBuf,
    /// When the oldest recorded run was queued; none where there is no run.
    pub since: Option<Timestamp>,
    /// What is granted now.
    pub grants: Vec<GrantLine>,
    /// What was denied, the newest first.
    pub denials: Vec<RecordedDenial>,
}

/// One grant, and how it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantLine {
    /// The section of the file, as it is written.
    pub section: String,
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// The operator's name for it.
    pub name: ResourceName,
    /// What is granted; none for a network destination, which has its own methods.
    pub access: Option<Access>,
    /// How often it was used.
    pub times: u64,
    /// When it was used last.
    pub last_at: Option<Timestamp>,
    /// By which calls.
    pub calls: Vec<CallCount>,
}

/// How often one call used a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCount {
    /// The function of the contract.
    pub call: String,
    /// What it was used for: `read` under a grant of `replace`, or a method of HTTP.
    pub access: String,
    /// How often.
    pub times: u64,
}

/// What people and programs can ask of a host.
#[async_trait]
pub trait Operations: AuditOperations {
    /// What an operator wants to see first.
    async fn status(&self) -> Result<Status, Failure>;
    /// Looks at the files now, and waits until what is good in them is in force.
    async fn reload(&self) -> Result<ReloadStatus, Failure>;
    /// Goes back to the bytes that a plugin had before, or to its file again.
    async fn roll_back(&self, plugin: PluginName, way: Rollback) -> Result<RolledBack, Failure>;
    /// Queues a run.
    async fn submit(&self, submission: Submission) -> Result<Run, Failure>;
    /// Asks a run to end.
    async fn cancel(&self, id: RunId) -> Result<Run, Failure>;
    /// Waits for a run to come to its end, or, unless it is to be seen `through`, to where it waits for
    /// people or for an instant.
    async fn wait(&self, id: RunId, through: bool) -> Result<Run, Failure>;
    /// Answers what a run asks.
    async fn answer(&self, id: RunId, reply: Reply) -> Result<Run, Failure>;
    /// Queues a run that does again what one did that has ended.
    async fn retry(&self, id: RunId) -> Result<Run, Failure>;
    /// The run that is meant by an id, by the beginning or the end of one, or by the name of a
    /// procedure (its newest run).
    async fn run(&self, meant: &str) -> Result<RunDetails, Failure>;
    /// The newest runs that fit, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, Failure>;
    /// The record of a run after the entry of this number, with numbers.
    async fn journal(&self, id: RunId, after: u64) -> Result<Vec<(u64, JournalEntry)>, Failure>;
    /// The plugins that are at hand.
    async fn plugins(&self) -> Result<Vec<PluginDetails>, Failure>;
    /// The instants that schedules name, in order.
    async fn coming(&self, filter: ComingFilter) -> Result<Vec<ComingTick>, Failure>;
    /// What the newest ticks of a procedure came to, or those around an instant.
    async fn why(&self, procedure: ProcedureName, at: Option<Timestamp>)
    -> Result<Vec<Explanation>, Failure>;
    /// The findings that stand open.
    async fn findings(&self, procedure: ProcedureName) -> Result<Vec<OpenFinding>, Failure>;
    /// What a procedure is granted and how it was used, or the same of all procedures.
    async fn grants(&self, procedure: Option<ProcedureName>) -> Result<Vec<ProcedureGrants>, Failure>;
    /// The secrets that are named, without a look at their values.
    async fn secrets(&self) -> Result<BTreeMap<ResourceName, Secret>, Failure>;
    /// How each secret stands; whatever tells its value is asked.
    async fn look_at_secrets(&self) -> Result<Vec<SecretStatus>, Failure>;
    /// Makes a value the current one of a sealed secret.
    async fn set_secret(&self, name: ResourceName, value: SecretValue) -> Result<SecretSet, Failure>;
    /// Starts each schedule that names this event, with these inputs added to its own.
    async fn trigger(&self, event: EventName, inputs: Value) -> Result<Vec<Triggered>, Failure>;
    /// Holds ticks off; where it is the whole host, nothing starts any more.
    async fn pause(&self, scope: PauseScope, reason: Option<String>) -> Result<Pause, Failure>;
    /// Ends pauses, and returns them.
    async fn resume(&self, scope: PauseScope) -> Result<Vec<Pause>, Failure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_nothing_is_refused() {
        let under = |key: Option<&str>| Submission {
            key: key.map(str::to_owned),
            ..Submission::of("deploy".parse().unwrap())
        };
        for key in ["", " ", "\t\n"] {
            let refused = under(Some(key)).check().unwrap_err();
            assert_eq!(refused.kind, FailureKind::Invalid);
            assert!(refused.message.contains("`deploy` is empty"), "{refused}");
        }
        for key in [None, Some("17"), Some(" 17")] {
            assert_eq!(under(key).check(), Ok(()));
        }
    }
}
