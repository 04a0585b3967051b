//! Runs that wait with nothing in memory, for people or for an instant: what lets them go on.

use crate::desk::Desk;
use crate::engine::Engine;
use jiff::{SignedDuration, Timestamp};
use sopwith_core::actor::Actor;
use sopwith_core::approval::{self, Answer, AnswerRefused};
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::GateName;
use sopwith_core::port::operations::Reply;
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::role::Role;
use sopwith_core::run::{Run, RunEvent, RunId, RunState, Wait};
use std::collections::BTreeMap;

/// The runs that wait, each with the instant at which it goes on, or gives up, though nobody says anything.
/// By the wall clock, since it is people who name these instants.
#[derive(Debug, Default)]
pub(crate) struct Sleepers(BTreeMap<RunId, Timestamp>);

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotAnswered {
    /// The run waits for nobody, or for something else.
    #[error("run `{id}` is {state}, and asks nobody{}", .name.as_ref().map(|name| format!(" about `{name}`")).unwrap_or_default())]
    NotAsked {
        /// Which run.
        id: RunId,
        /// Where it stands.
        state: RunState,
        /// What the answer was about.
        name: Option<GateName>,
    },
    /// Nobody answered in time.
    #[error("it is too late: the request for `{name}` expired at {at}")]
    Expired {
        /// The gate, or the item.
        name: GateName,
        /// When.
        at: Timestamp,
    },
    /// This answer does not count.
    #[error(transparent)]
    Refused(#[from] AnswerRefused),
    /// The record cannot be read or written, or there is no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotAnswered> for Failure {
    fn from(not: NotAnswered) -> Self {
        let kind = match not {
            NotAnswered::Store(error) => return error.into(),
            NotAnswered::Refused(AnswerRefused::Requester { .. } | AnswerRefused::Again { .. }) => {
                FailureKind::Denied
            }
            NotAnswered::Refused(AnswerRefused::NoReason | AnswerRefused::BrokenToReject) => {
                FailureKind::Invalid
            }
            _ => FailureKind::Conflict,
        };
        Self::new(kind, Blame::Operator, not.to_string())
    }
}

impl Engine {
    /// Remembers when a run that waits is to be looked at. One that was called is looked at by its caller.
    pub(crate) fn put_to_sleep(&self, run: &Run) {
        let until = run.waits_for.as_ref().and_then(Wait::until);
        // It is missed, too, where people let it start too late.
        let start_by = run.queued.start_by.filter(|_| run.has_yet_to_start());
        let too_late = start_by.and_then(|at| at.checked_add(SignedDuration::from_millis(1)).ok());
        if let Some(until) = until.into_iter().chain(too_late).min()
            && self.sleepers().0.insert(run.id(), until) != Some(until)
        {
            say_that_it_waits(run, until);
        }
    }

    /// Forgets when a run is to be looked at; false where nobody knew.
    pub(crate) fn forget_sleeper(&self, id: RunId) -> bool {
        self.sleepers().0.remove(&id).is_some()
    }

    /// Whether nothing keeps a run from a place any more.
    pub(crate) fn is_ripe(&self, run: &Run) -> bool {
        match &run.waits_for {
            Some(Wait::People { .. }) => false,
            Some(wait) => wait.until().is_some_and(|until| until <= self.now()),
            None => true,
        }
    }

    /// Whether people, or an instant to come, keep it from a place.
    pub(crate) fn must_wait(&self, run: &Run) -> bool {
        let is_called = matches!(run.waits_for, Some(Wait::Call { .. }));
        run.state.is_waiting() && !is_called && !self.is_ripe(run)
    }

    /// Lets those go on whose instant has come; returns that of the next one.
    pub(crate) async fn wake_due(&self) -> Stored<Option<Timestamp>> {
        let now = self.now();
        let is_due = |(_, until): &(&RunId, &Timestamp)| **until <= now;
        let due: Vec<(RunId, Timestamp)> = self
            .sleepers()
            .0
            .iter()
            .filter(is_due)
            .map(|(id, until)| (*id, *until))
            .collect();
        for (id, until) in due {
            self.wake(id).await?;
            let mut sleepers = self.sleepers();
            // It may have gone on meanwhile, and wait for another instant.
            if sleepers.0.get(&id) == Some(&until) {
                sleepers.0.remove(&id);
            }
        }
        Ok(self.sleepers().0.values().min().copied())
    }

    async fn wake(&self, id: RunId) -> Stored<()> {
        let Some(run) = self.store().run(id).await? else {
            return Ok(());
        };
        let now = self.now();
        if run.is_overdue(now) {
            return self.miss(&run, now).await;
        }
        match self.expire(&run).await {
            Ok(Some(run)) => self.go_on(&run).await,
            Ok(None) if run.state == RunState::Suspended => {
                self.line_up(&run);
                Ok(())
            }
            // Somebody answered just now; or nobody hears of it any more, since the answer was lost.
            Ok(None) => {
                self.look_again(id);
                Ok(())
            }
            Err(StoreError::Stale { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives up on people who have not answered in time; none where they still have time, or were not asked.
    pub(crate) async fn expire(&self, run: &Run) -> Stored<Option<Run>> {
        let at = self.now();
        let Some(asked) = run.open_request().filter(|asked| asked.request.expires_at <= at) else {
            return Ok(None);
        };
        let name = asked.request.name.clone();
        let event = RunEvent::RequestExpired { at, name };
        let run = self
            .store()
            .apply(run.id(), run.epoch, event, &Actor::Host)
            .await?;
        Ok(Some(run))
    }

    /// Takes a person's answer to what a run asks; `seen` is the digest of what they had before them.
    pub async fn answer(
        &self,
        id: RunId,
        name: Option<&GateName>,
        answer: Answer,
        seen: Option<Digest>,
    ) -> Result<Run, NotAnswered> {
        loop {
            let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
            let open = run.open_request();
            let is_meant = |asked: &&approval::Asked| name.is_none_or(|name| *name == asked.request.name);
            let asked = open.filter(is_meant).ok_or_else(|| NotAnswered::NotAsked {
                id,
                state: run.state,
                name: name.cloned(),
            })?;
            if asked.request.expires_at <= self.now() {
                let (name, at) = (asked.request.name.clone(), asked.request.expires_at);
                return Err(NotAnswered::Expired { name, at });
            }
            approval::check(&run.queued, asked, &answer, seen)?;
            let event = RunEvent::Answered {
                at: self.now(),
                kind: asked.request.kind,
                name: asked.request.name.clone(),
                answer: Box::new(answer.clone()),
            };
            match self.store().apply(id, run.epoch, event, &answer.by).await {
                // Somebody else answered just now.
                Err(StoreError::Stale { .. }) => {}
                Err(error) => {
                    self.look_again(id);
                    return Err(error.into());
                }
                Ok(run) => {
                    tell(&run, &answer);
                    self.go_on(&run).await?;
                    return Ok(run);
                }
            }
        }
    }

    /// What comes after a matter was decided, for better or worse; nothing while it is not.
    async fn go_on(&self, run: &Run) -> Stored<()> {
        if run.state.is_waiting() {
            return Ok(());
        }
        self.forget_sleeper(run.id());
        if run.state.is_final() {
            self.clear_up(run).await;
            self.tell_end(run.id());
            if let Some(caller) = run.queued.trigger.caller() {
                self.wake_caller(caller);
            }
        }
        self.enqueue(run);
        Ok(())
    }
}

impl Desk {
    /// Answers for whoever asks, who needs the role of the gate, or may start runs where the glass is broken.
    pub(crate) async fn reply(&self, id: RunId, reply: Reply) -> Result<Run, Failure> {
        let run = self.engine.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
        let Some(now) = run.open_request().map(|asked| &asked.request) else {
            self.require(Role::Viewer)?;
            let (state, name) = (run.state, reply.name);
            return Err(NotAnswered::NotAsked { id, state, name }.into());
        };
        self.require(if reply.breaks_glass {
            Role::Operator
        } else {
            now.gate.role
        })?;
        // The answer is to the very request whose role was looked at, and to none that is asked meanwhile.
        let digest = now.digest;
        if let Some(seen) = reply.seen.filter(|seen| *seen != digest) {
            return Err(NotAnswered::from(AnswerRefused::Changed { seen, now: digest }).into());
        }
        let answer = Answer {
            by: self.actor.clone(),
            approved: reply.approved,
            note: reply.note,
            breaks_glass: reply.breaks_glass,
        };
        let answered = self.engine.answer(id, reply.name.as_ref(), answer, Some(digest));
        Ok(answered.await?)
    }
}

fn say_that_it_waits(run: &Run, until: Timestamp) {
    let (id, procedure, action) = (run.id(), &run.queued.procedure, &run.queued.action);
    if let Some(asked) = run.open_request() {
        let (gate, role) = (&asked.request.name, asked.request.gate.role);
        tracing::info!(run = %id, %procedure, %action, %gate, %role, %until, "a run waits for people");
    } else {
        tracing::info!(run = %id, %procedure, %action, %until, "a run waits");
    }
}

/// A glass that is broken is loud.
fn tell(run: &Run, answer: &Answer) {
    let (id, procedure, by, note) = (run.id(), &run.queued.procedure, &answer.by, &answer.note);
    if answer.breaks_glass {
        tracing::warn!(run = %id, %procedure, %by, reason = note, "the glass was broken: a run goes on in spite of its gate");
    } else {
        let approved = answer.approved;
        tracing::info!(run = %id, %procedure, %by, approved, "what a run asks was answered");
    }
}
