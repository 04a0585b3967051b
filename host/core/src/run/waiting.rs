//! How a run comes to wait for people or for an instant, and how it goes on.

use super::{Run, RunState, Wait};
use crate::approval::{Answer, Asked, Outcome, Request, RequestKind, Subject};
use crate::failure::{Blame, Failure, FailureKind};
use crate::limits::Usage;
use crate::name::GateName;
use jiff::Timestamp;

impl Run {
    /// What people are asked now.
    pub fn open_request(&self) -> Option<&Asked> {
        let Some(Wait::People { request }) = &self.waits_for else {
            return None;
        };
        self.request(request.kind, &request.name)
    }

    /// The newest request of this kind and name.
    pub fn request(&self, kind: RequestKind, name: &GateName) -> Option<&Asked> {
        let mut requests = self.requests.iter();
        requests.find(|asked| asked.request.kind == kind && asked.request.name == *name)
    }

    /// What the run waits for that names this instant; none where there is nothing to wait for. The first
    /// instant that a name was suspended for holds.
    pub fn wait_until(&self, name: &GateName, until: Timestamp, now: Timestamp) -> Option<Wait> {
        let known = self.instants.get(name.as_str()).copied();
        let until = known.unwrap_or(until);
        let name = name.to_string();
        (until > now).then_some(Wait::Instant { name, until })
    }

    /// What was decided about exactly this subject; what was answered about anything else is void.
    pub fn decided(&self, subject: Subject<'_>) -> Option<&Asked> {
        let asked = self.request(subject.kind, subject.name)?;
        let now = subject.digest(&self.queued, asked.request.asked_at);
        (asked.request.digest == now && asked.decided.is_some()).then_some(asked)
    }

    pub(super) fn suspend(&mut self, wait: Wait, usage: Usage) {
        self.state = RunState::Suspended;
        self.suspensions += 1;
        self.spent = self.spent.saturating_add(usage.wall);
        self.usage = Some(usage);
        match &wait {
            Wait::Instant { name, until } => {
                self.instants.insert(name.clone(), *until);
            }
            Wait::People { request } => self.ask((**request).clone()),
            Wait::Call { .. } => {}
        }
        self.waits_for = Some(wait);
    }

    pub(super) fn ask_anew(&mut self, request: Request) {
        self.ask(request.clone());
        let request = Box::new(request);
        self.waits_for = Some(Wait::People { request });
        self.state = RunState::WaitingApproval;
    }

    /// What was answered to an earlier request of this kind and name is void.
    fn ask(&mut self, request: Request) {
        let is_other =
            |asked: &Asked| asked.request.kind != request.kind || asked.request.name != request.name;
        self.requests.retain(is_other);
        self.requests.push(Asked::new(request));
    }

    pub(super) fn answer(&mut self, at: Timestamp, answer: Answer) {
        let (by, note) = (answer.by.clone(), answer.note.clone());
        let Some(asked) = self.asked_now() else { return };
        asked.answer(at, answer);
        let name = asked.request.name.clone();
        let Some((_, outcome)) = asked.decided else { return };
        let said = if note.is_empty() {
            format!("{by} rejected `{name}`")
        } else {
            format!("{by} rejected `{name}`: {note}")
        };
        self.go_on(at, outcome, said);
    }

    pub(super) fn expire(&mut self, at: Timestamp) {
        let Some(asked) = self.asked_now() else { return };
        asked.decided = Some((at, Outcome::Expired));
        let said = format!("nobody decided about `{}` in time", asked.request.name);
        self.go_on(at, Outcome::Expired, said);
    }

    fn asked_now(&mut self) -> Option<&mut Asked> {
        let Some(Wait::People { request }) = &self.waits_for else {
            return None;
        };
        let (kind, name) = (request.kind, request.name.clone());
        let mut requests = self.requests.iter_mut();
        requests.find(|asked| asked.request.kind == kind && asked.request.name == name)
    }

    /// The matter is decided: a run that has started goes on and learns it, one that has not starts
    /// or ends.
    fn go_on(&mut self, at: Timestamp, outcome: Outcome, said: String) {
        self.waits_for = None;
        if self.state == RunState::Suspended {
            // The same attempt goes on.
            self.attempt -= 1;
            self.state = RunState::Queued;
            return;
        }
        let (state, kind) = match outcome {
            Outcome::Approved => {
                self.state = RunState::Queued;
                return;
            }
            Outcome::Rejected => (RunState::Rejected, FailureKind::Denied),
            Outcome::Expired => (RunState::Expired, FailureKind::Timeout),
        };
        self.failure = Some(Failure::new(kind, Blame::Operator, said));
        self.end(state, at);
    }
}
