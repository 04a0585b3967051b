//! What is known of a run.

use super::{Report, RunId, Verdict, Wait};
use crate::actor::Actor;
use crate::approval::{Asked, Request};
use crate::digest::Digest;
use crate::failure::Failure;
use crate::limits::Usage;
use crate::name::{ActionName, EventName, PluginName, ProcedureName, ScheduleName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// Why a run started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Trigger {
    /// A tick of a schedule.
    Schedule {
        /// Which schedule of the procedure.
        schedule: ScheduleName,
        /// The instant that the schedule named.
        nominal_at: Timestamp,
    },
    /// The end of a run of another procedure, on which a schedule follows.
    After {
        /// Which schedule of the procedure.
        schedule: ScheduleName,
        /// The run that had ended.
        run: RunId,
        /// When it had, or shortly after.
        nominal_at: Timestamp,
        /// Who wanted that run, where that was a person: they may not approve what follows on it either.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Box<Actor>>,
    },
    /// An event, on which a schedule starts.
    Event {
        /// Which schedule of the procedure.
        schedule: ScheduleName,
        /// The event.
        event: EventName,
        /// When it was told, or shortly after.
        nominal_at: Timestamp,
    },
    /// A person.
    Manual,
    /// A run that called this procedure, and in whose place it runs.
    Procedure {
        /// The run that called.
        run: RunId,
        /// The call within that run: a later attempt that makes it again gets the same run.
        call: String,
    },
}

impl Trigger {
    /// The word of the contract.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Schedule { .. } => "schedule",
            Self::After { .. } => "after",
            Self::Event { .. } => "event",
            Self::Manual => "manual",
            Self::Procedure { .. } => "procedure",
        }
    }

    /// The instant by which the schedule's record has it.
    pub fn nominal_at(&self) -> Option<Timestamp> {
        match self {
            Self::Schedule { nominal_at, .. }
            | Self::After { nominal_at, .. }
            | Self::Event { nominal_at, .. } => Some(*nominal_at),
            Self::Manual | Self::Procedure { .. } => None,
        }
    }

    /// The run that called.
    pub fn caller(&self) -> Option<RunId> {
        match self {
            Self::Procedure { run, .. } => Some(*run),
            _ => None,
        }
    }

    /// Gives it another instant.
    pub fn set_nominal_at(&mut self, at: Timestamp) {
        match self {
            Self::Schedule { nominal_at, .. }
            | Self::After { nominal_at, .. }
            | Self::Event { nominal_at, .. } => *nominal_at = at,
            Self::Manual | Self::Procedure { .. } => {}
        }
    }

    /// The schedule that started it.
    pub fn schedule(&self) -> Option<&ScheduleName> {
        match self {
            Self::Schedule { schedule, .. } | Self::After { schedule, .. } | Self::Event { schedule, .. } => {
                Some(schedule)
            }
            Self::Manual | Self::Procedure { .. } => None,
        }
    }

    /// The instant that a schedule named, where one did.
    pub fn scheduled_at(&self) -> Option<Timestamp> {
        match self {
            Self::Schedule { nominal_at, .. } => Some(*nominal_at),
            Self::After { .. } | Self::Event { .. } | Self::Manual | Self::Procedure { .. } => None,
        }
    }
}

/// What a run is from the moment that it is queued; nothing of it changes afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// Its id.
    pub id: RunId,
    /// The procedure that it carries out.
    pub procedure: ProcedureName,
    /// The action of the plugin.
    pub action: ActionName,
    /// Why it started.
    pub trigger: Trigger,
    /// Who wanted it.
    pub actor: Actor,
    /// Whether it may change nothing and counts for nothing.
    pub dry_run: bool,
    /// The plugin.
    pub plugin: PluginName,
    /// The plugin's bytes.
    pub plugin_digest: Digest,
    /// The procedure's definition.
    pub revision: Digest,
    /// The procedure's settings with defaults filled in.
    pub settings: Value,
    /// What this run is told, with defaults filled in.
    pub inputs: Value,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Where its first attempt has not started by then, it is missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_by: Option<Timestamp>,
    /// The key under which somebody asked for it: who asks again under it gets this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The run that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// The databases in whose place it has scratch databases of the run that called it: what it finds there is
    /// true of nothing else, so it counts for nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lent: BTreeSet<String>,
    /// What people are asked before it starts; none where nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Box<Request>>,
}

impl Queued {
    /// The key under which it was asked for, within a scope: who asks again gets the same run. A
    /// person's keys belong to a procedure, those of a run to the run.
    pub fn identity(&self) -> Option<(String, String)> {
        match &self.trigger {
            Trigger::Procedure { run, call } => Some((run.to_string(), call.clone())),
            Trigger::Manual => Some((self.procedure.to_string(), self.key.clone()?)),
            Trigger::Schedule { .. } | Trigger::After { .. } | Trigger::Event { .. } => None,
        }
    }

    /// Who wanted it: the person behind it, where there is one.
    pub fn requester(&self) -> &Actor {
        match &self.trigger {
            Trigger::After {
                on_behalf_of: Some(person),
                ..
            } => person,
            _ => self.actor.person(),
        }
    }

    /// Whether what comes of it is true of the real thing: of a dry run, and of one on lent databases, it is not.
    pub fn counts(&self) -> bool {
        !self.dry_run && self.lent.is_empty()
    }

    /// Whether both ask for the same work.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        (&self.procedure, &self.action, &self.inputs) == (&other.procedure, &other.action, &other.inputs)
            && (self.dry_run, &self.lent) == (other.dry_run, &other.lent)
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for people before it starts.
    WaitingApproval,
    /// Waits for a place.
    Queued,
    /// An attempt is under way.
    Running,
    /// An attempt waits, with nothing in memory, for people or for an instant.
    Suspended,
    /// Waits for its next attempt.
    RetryWait,
    /// Its action came to a report.
    Succeeded,
    /// Its action failed.
    Failed,
    /// Its action took too long.
    TimedOut,
    /// Somebody asked it to end.
    Cancelled,
    /// The host went away, and the action may not simply be started again.
    Lost,
    /// Somebody was asked whether it may start, and said no.
    Rejected,
    /// Nobody said in time whether it may start.
    Expired,
    /// It did not start in time.
    Missed,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 13] = [
        Self::WaitingApproval,
        Self::Queued,
        Self::Running,
        Self::Suspended,
        Self::RetryWait,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
        Self::Lost,
        Self::Rejected,
        Self::Expired,
        Self::Missed,
    ];

    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::RetryWait) && !self.is_waiting()
    }

    /// Whether it waits for people or for an instant, however long that takes.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::WaitingApproval | Self::Suspended)
    }

    /// The word that people see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingApproval => "waiting_approval",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::RetryWait => "retry_wait",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Missed => "missed",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a run: the sum of its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What it has been from the start.
    #[serde(flatten)]
    pub queued: Queued,
    /// Where it stands.
    pub state: RunState,
    /// Number of events so far; a writer that has seen fewer is refused.
    pub epoch: u64,
    /// Number of the newest attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// How often it was taken up again after it had been cut off.
    pub resumed: u32,
    /// When its first attempt started.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// When its next attempt may start.
    pub retry_at: Option<Timestamp>,
    /// Who asked it to end.
    pub cancelled_by: Option<Actor>,
    /// The run that takes its place, where that is why it was asked to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<RunId>,
    /// What the action reported.
    pub report: Option<Report>,
    /// Why its newest attempt failed.
    pub failure: Option<Failure>,
    /// What its newest attempt used, where that is known.
    pub usage: Option<Usage>,
    /// How often it was suspended.
    #[serde(default)]
    pub suspensions: u32,
    /// The time that its newest attempt had used up when it was suspended.
    #[serde(default)]
    pub spent: Duration,
    /// What it waits for.
    #[serde(default)]
    pub waits_for: Option<Wait>,
    /// The instants that it was suspended for, by the plugin's names.
    #[serde(default)]
    pub instants: BTreeMap<String, Timestamp>,
    /// What people were asked, the newest of each name.
    #[serde(default)]
    pub requests: Vec<Asked>,
}

impl Run {
    /// Its id.
    pub fn id(&self) -> RunId {
        self.queued.id
    }

    /// What it found, where it came to a report.
    pub fn verdict(&self) -> Option<Verdict> {
        self.report.as_ref().map(|report| report.verdict)
    }

    /// Why it ends, where it was asked to.
    pub fn asked_to_end(&self) -> Failure {
        let failure = Failure::cancelled();
        match self.replaced_by {
            Some(other) => Failure {
                message: format!("a newer run took its place: {other}"),
                ..failure
            }
            .with("reason", "replaced"),
            None => failure,
        }
    }

    /// Whether it was not carried out, since it could not start by this instant.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let late = self.queued.start_by.is_some_and(|start_by| now > start_by);
        late && self.has_yet_to_start()
    }

    /// Whether it waits for its place, or for people to let it start, and has not started before.
    pub fn has_yet_to_start(&self) -> bool {
        let waits = matches!(self.state, RunState::Queued | RunState::WaitingApproval);
        waits && self.started_at.is_none()
    }

    /// Whether it succeeded with a verdict other than critical.
    pub fn passed(&self) -> bool {
        self.state == RunState::Succeeded && self.verdict() != Some(Verdict::Critical)
    }
}
