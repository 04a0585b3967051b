//! The legal transitions of a run: one pure function over events.

use super::{Queued, Report, Run, RunId, RunState};
use crate::actor::Actor;
use crate::failure::Failure;
use crate::limits::Usage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
            Self::CancelRequested { .. } => "cancel_requested",
            Self::Missed { .. } => "missed",
            Self::Cancelled { .. } => "cancelled",
        }
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
        Self {
            queued,
            state: RunState::Queued,
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
                self.state = RunState::Queued;
            }
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
            RunEvent::AttemptStarted { .. } => matches!(self.state, RunState::Queued | RunState::RetryWait),
            RunEvent::Succeeded { .. } | RunEvent::AttemptFailed { .. } | RunEvent::Interrupted { .. } => {
                self.state == RunState::Running
            }
            RunEvent::Missed { .. } => self.state == RunState::Queued && self.started_at.is_none(),
            RunEvent::CancelRequested { .. } => !self.state.is_final() && self.cancelled_by.is_none(),
            RunEvent::Cancelled { .. } => !self.state.is_final(),
        }
    }

    fn start(&mut self, at: Timestamp) {
        self.state = RunState::Running;
        self.attempt += 1;
        self.started_at.get_or_insert(at);
        self.retry_at = None;
    }

    fn fail(&mut self, at: Timestamp, cause: AttemptEnd, failure: Failure, retry_at: Option<Timestamp>) {
        self.failure = Some(failure);
        self.retry_at = retry_at;
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

    fn end(&mut self, state: RunState, at: Timestamp) {
        self.state = state;
        self.ended_at = Some(at);
        self.retry_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::run::Trigger;
    use proptest::prelude::*;

    fn queued() -> Queued {
        Queued {
            id: RunId::new(Timestamp::UNIX_EPOCH, 7),
            procedure: "clinic".parse().unwrap(),
            action: "check".parse().unwrap(),
            trigger: Trigger::Manual,
            actor: Actor::Host,
            dry_run: false,
            plugin: "smoke".parse().unwrap(),
            plugin_digest: Digest::of("plugin"),
            revision: Digest::of("revision"),
            settings: serde_json::Value::Null,
            inputs: serde_json::Value::Null,
            queued_at: Timestamp::UNIX_EPOCH,
            start_by: None,
        }
    }

    fn event() -> impl Strategy<Value = RunEvent> {
        let at = Timestamp::UNIX_EPOCH;
        let report = Report {
            verdict: crate::run::Verdict::Ok,
            summary: String::new(),
            output: serde_json::Value::Null,
            extra: Vec::new(),
        };
        let failed = move |cause, retry_at| RunEvent::AttemptFailed {
            at,
            cause,
            failure: Failure::host("x"),
            retry_at,
            usage: None,
        };
        prop_oneof![
            Just(RunEvent::Queued(Box::new(queued()))),
            Just(RunEvent::AttemptStarted { at }),
            Just(RunEvent::Succeeded {
                at,
                report,
                usage: Usage::default()
            }),
            Just(failed(AttemptEnd::Failed, None)),
            Just(failed(AttemptEnd::TimedOut, Some(at))),
            Just(failed(AttemptEnd::Lost, None)),
            Just(RunEvent::Interrupted {
                at,
                reason: "x".to_owned()
            }),
            Just(RunEvent::CancelRequested {
                at,
                by: Actor::Host,
                replaced_by: None
            }),
            Just(RunEvent::Missed {
                at,
                failure: Failure::host("x")
            }),
            Just(RunEvent::Cancelled {
                at,
                failure: Failure::cancelled()
            }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_an_end_is_an_end_and_each_event_counts(events in prop::collection::vec(event(), 0..30)) {
            let mut run = Run::begin(queued());
            for event in events {
                let before = run.clone();
                if let Ok(after) = run.clone().apply(event) {
                        prop_assert!(!before.state.is_final());
                        prop_assert_eq!(after.epoch, before.epoch + 1);
                        prop_assert_eq!(after.state.is_final(), after.ended_at.is_some());
                        prop_assert_eq!(after.state == RunState::RetryWait, after.retry_at.is_some());
                        run = after;
                } else {
                    prop_assert_eq!(&run, &before);
                }
            }
        }

        #[test]
        fn replaying_the_accepted_events_gives_the_same_run(events in prop::collection::vec(event(), 0..30)) {
            let mut run = Run::begin(queued());
            let mut accepted = vec![RunEvent::Queued(Box::new(queued()))];
            for event in events {
                if let Ok(after) = run.clone().apply(event.clone()) {
                    run = after;
                    accepted.push(event);
                }
            }
            prop_assert_eq!(Run::replay(accepted).unwrap(), Some(run));
        }
    }

    #[test]
    fn an_attempt_that_was_cut_off_is_not_used_up() {
        let at = Timestamp::UNIX_EPOCH;
        let run = Run::begin(queued())
            .apply(RunEvent::AttemptStarted { at })
            .unwrap();
        let run = run
            .apply(RunEvent::Interrupted {
                at,
                reason: "x".to_owned(),
            })
            .unwrap();
        assert_eq!((run.state, run.attempt, run.resumed), (RunState::Queued, 0, 1));
    }
}
