//! The legal transitions of a run: one pure function over events.

use super::{Queued, Report, Run, RunId, RunState, Wait};
use crate::actor::Actor;
use crate::approval::{Answer, Asked, Request, RequestKind};
use crate::failure::Failure;
use crate::limits::Usage;
use crate::name::GateName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How an attempt that came to no report ended; the words of `[retry] on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// By an error of the action, a trap or a limit.
    Failed,
    /// By its time limit.
    TimedOut,
    /// By the end of the host.
    Lost,
}

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// It came to be.
    Queued(Box<Queued>),
    /// An attempt is about to act.
    AttemptStarted {
        /// When.
        at: Timestamp,
    },
    /// The action came to a report.
    Succeeded {
        /// When.
        at: Timestamp,
        /// What it found.
        report: Report,
        /// What the attempt used.
        usage: Usage,
    },
    /// The action failed, or its time was up.
    AttemptFailed {
        /// When.
        at: Timestamp,
        /// Whether it ended by itself.
        cause: AttemptEnd,
        /// Why.
        failure: Failure,
        /// When the next attempt may start; none when there is no further one.
        retry_at: Option<Timestamp>,
        /// What the attempt used, where that is known.
        usage: Option<Usage>,
    },
    /// The attempt was cut off and the run goes back to the queue.
    Interrupted {
        /// When that was noticed.
        at: Timestamp,
        /// What cut it off.
        reason: String,
    },
    /// The attempt waits from here on with nothing in memory; its action is called again from the start.
    Suspended {
        /// When.
        at: Timestamp,
        /// For what.
        wait: Box<Wait>,
        /// What the attempt has used so far.
        usage: Usage,
    },
    /// Somebody answered what the run waits for.
    Answered {
        /// When.
        at: Timestamp,
        /// Whether that was approved or attested.
        kind: RequestKind,
        /// The gate, or the item.
        name: GateName,
        /// What they answered.
        answer: Box<Answer>,
    },
    /// Nobody answered in time what the run waits for.
    RequestExpired {
        /// When that was noticed.
        at: Timestamp,
        /// The gate, or the item.
        name: GateName,
    },
    /// People are asked anew before it starts: its procedure's definition changed after they had been asked.
    AskedAnew {
        /// When.
        at: Timestamp,
        /// What they are asked.
        request: Box<Request>,
    },
    /// Somebody asked for an end; an attempt that is under way still has to come to it.
    CancelRequested {
        /// When.
        at: Timestamp,
        /// Who.
        by: Actor,
        /// The run that takes its place, where that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaced_by: Option<RunId>,
    },
    /// It could not start in time.
    Missed {
        /// When that was noticed.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It ended because somebody had asked for it, or because its procedure was removed.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
}

impl RunEvent {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Queued(queued) => queued.queued_at,
            Self::AttemptStarted { at }
            | Self::Succeeded { at, .. }
            | Self::AttemptFailed { at, .. }
            | Self::Interrupted { at, .. }
            | Self::Suspended { at, .. }
            | Self::Answered { at, .. }
            | Self::RequestExpired { at, .. }
            | Self::AskedAnew { at, .. }
            | Self::CancelRequested { at, .. }
            | Self::Missed { at, .. }
            | Self::Cancelled { at, .. } => *at,
        }
    }

    /// The word under which the audit log has it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued(_) => "queued",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::Succeeded { .. } => "succeeded",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::Interrupted { .. } => "interrupted",
            Self::Suspended { .. } => "suspended",
            Self::Answered { kind, answer, .. } => answered(*kind, answer),
            Self::RequestExpired { .. } => "request_expired",
            Self::AskedAnew { .. } => "asked_anew",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::Missed { .. } => "missed",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// A glass that is broken is loud in the audit log too.
fn answered(kind: RequestKind, answer: &Answer) -> &'static str {
    match (kind, answer.approved) {
        _ if answer.breaks_glass => "glass_broken",
        (RequestKind::Approval, true) => "approved",
        (RequestKind::Approval, false) => "rejected",
        (RequestKind::Attestation, true) => "attested",
        (RequestKind::Attestation, false) => "attestation_refused",
    }
}

/// An event that does not fit the state of the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is `{state}` cannot take the event `{event}`")]
pub struct IllegalTransition {
    state: &'static str,
    event: &'static str,
}

impl Run {
    /// The run after its first event.
    pub fn begin(queued: Queued) -> Self {
        let gate = queued.gate.as_deref().cloned();
        let waits_for = gate.clone().map(|request| Wait::People {
            request: Box::new(request),
        });
        Self {
            state: match gate {
                Some(_) => RunState::WaitingApproval,
                None => RunState::Queued,
            },
            waits_for,
            requests: gate.into_iter().map(Asked::new).collect(),
            queued,
            epoch: 1,
            attempt: 0,
            resumed: 0,
            started_at: None,
            ended_at: None,
            retry_at: None,
            cancelled_by: None,
            replaced_by: None,
            report: None,
            failure: None,
            usage: None,
            suspensions: 0,
            spent: Duration::ZERO,
            instants: BTreeMap::new(),
        }
    }

    /// The run that a whole history of events comes to.
    pub fn replay(events: impl IntoIterator<Item = RunEvent>) -> Result<Option<Self>, IllegalTransition> {
        let mut run: Option<Self> = None;
        for event in events {
            run = Some(match (run, event) {
                (None, RunEvent::Queued(queued)) => Self::begin(*queued),
                (None, event) => {
                    return Err(IllegalTransition {
                        state: "unborn",
                        event: event.as_str(),
                    });
                }
                (Some(run), event) => run.apply(event)?,
            });
        }
        Ok(run)
    }

    /// The run after this event, or why it cannot be.
    pub fn apply(mut self, event: RunEvent) -> Result<Self, IllegalTransition> {
        if !self.admits(&event) {
            return Err(IllegalTransition {
                state: self.state.as_str(),
                event: event.as_str(),
            });
        }
        self.epoch += 1;
        match event {
            RunEvent::Queued(_) => {}
            RunEvent::AttemptStarted { at } => self.start(at),
            RunEvent::Succeeded { at, report, usage } => {
                self.usage = Some(usage);
                self.report = Some(report);
                self.failure = None;
                self.end(RunState::Succeeded, at);
            }
            RunEvent::AttemptFailed {
                at,
                cause,
                failure,
                retry_at,
                usage,
            } => {
                self.usage = usage;
                self.fail(at, cause, failure, retry_at);
            }
            RunEvent::Interrupted { .. } => {
                // An attempt that was cut off is not used up.
                self.attempt -= 1;
                self.resumed += 1;
                self.spent = Duration::ZERO;
                self.state = RunState::Queued;
            }
            RunEvent::Suspended { wait, usage, .. } => self.suspend(*wait, usage),
            RunEvent::Answered { at, answer, .. } => self.answer(at, *answer),
            RunEvent::RequestExpired { at, .. } => self.expire(at),
            RunEvent::AskedAnew { request, .. } => self.ask_anew(*request),
            RunEvent::CancelRequested { by, replaced_by, .. } => {
                self.cancelled_by = Some(by);
                self.replaced_by = replaced_by;
            }
            RunEvent::Missed { at, failure } => {
                self.failure = Some(failure);
                self.end(RunState::Missed, at);
            }
            RunEvent::Cancelled { at, failure } => {
                self.failure = Some(failure);
                self.end(RunState::Cancelled, at);
            }
        }
        Ok(self)
    }

    fn admits(&self, event: &RunEvent) -> bool {
        match event {
            RunEvent::Queued(_) => false,
            RunEvent::AttemptStarted { .. } => match self.state {
                RunState::Queued | RunState::RetryWait => true,
                // What people are asked is answered or expires before it goes on.
                RunState::Suspended => self.open_request().is_none(),
                _ => false,
            },
            RunEvent::Succeeded { .. }
            | RunEvent::AttemptFailed { .. }
            | RunEvent::Interrupted { .. }
            | RunEvent::Suspended { .. } => self.state == RunState::Running,
            RunEvent::Answered { name, .. } | RunEvent::RequestExpired { name, .. } => self
                .open_request()
                .is_some_and(|asked| asked.request.name == *name),
            RunEvent::AskedAnew { .. } => self.has_yet_to_start() && self.cancelled_by.is_none(),
            RunEvent::Missed { .. } => self.has_yet_to_start(),
            RunEvent::CancelRequested { .. } => !self.state.is_final() && self.cancelled_by.is_none(),
            RunEvent::Cancelled { .. } => !self.state.is_final(),
        }
    }

    fn start(&mut self, at: Timestamp) {
        // An attempt that was suspended goes on.
        self.attempt += u32::from(self.state != RunState::Suspended);
        self.state = RunState::Running;
        self.waits_for = None;
        self.started_at.get_or_insert(at);
        self.retry_at = None;
    }

    fn fail(&mut self, at: Timestamp, cause: AttemptEnd, failure: Failure, retry_at: Option<Timestamp>) {
        self.failure = Some(failure);
        self.retry_at = retry_at;
        self.spent = Duration::ZERO;
        if retry_at.is_some() {
            self.state = RunState::RetryWait;
            return;
        }
        let state = match cause {
            AttemptEnd::Failed => RunState::Failed,
            AttemptEnd::TimedOut => RunState::TimedOut,
            AttemptEnd::Lost => RunState::Lost,
        };
        self.end(state, at);
    }

    pub(super) fn end(&mut self, state: RunState, at: Timestamp) {
        self.state = state;
        self.waits_for = None;
        self.ended_at = Some(at);
        self.retry_at = None;
    }
}

#[cfg(test)]
mod tests;
