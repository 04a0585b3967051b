//! The gate before the first attempt of a run: what people are asked, and whether what they said still holds.

use crate::engine::Engine;
use sopwith_core::actor::Actor;
use sopwith_core::approval::{Gate, Outcome, Request, RequestKind, START_GATE, Subject};
use sopwith_core::digest::Digest;
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::name::GateName;
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::{Queued, Run, RunEvent, RunState};

/// What people are asked before a run starts, by the definition that is in force now.
struct StartGate<'a> {
    name: &'a GateName,
    gate: &'a Gate,
    prompt: String,
    queued: &'a Queued,
    revision: Digest,
}

impl<'a> StartGate<'a> {
    /// None where nobody is asked: a dry run changes nothing. A run that was queued behind a gate stays behind
    /// it, also where the definition has none any more.
    fn of(ready: &'a ReadyProcedure, queued: &'a Queued) -> Option<Self> {
        let mut gates = ready.procedure.gates.iter().filter(|_| !queued.dry_run);
        let now = gates.find(|(name, _)| name.as_str() == START_GATE);
        let before = queued
            .gate
            .as_deref()
            .map(|request| (&request.name, &request.gate));
        let (name, gate) = now.or(before)?;
        let (action, procedure) = (&queued.action, &queued.procedure);
        let lent: Vec<_> = queued.lent.iter().map(|name| format!("`{name}`")).collect();
        let prompt = if lent.is_empty() {
            format!("May `{action}` of `{procedure}` start?")
        } else {
            let lent = lent.join(", ");
            format!("May `{action}` of `{procedure}` start, on scratch databases in the place of {lent}?")
        };
        Some(Self {
            name,
            gate,
            prompt,
            queued,
            revision: ready.procedure.revision,
        })
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            kind: RequestKind::Approval,
            name: self.name,
            prompt: &self.prompt,
            evidence: &self.queued.inputs,
            gate: self.gate,
            revision: self.revision,
        }
    }
}

/// The same run, with what people are asked before it starts.
pub(crate) fn behind_its_gate(ready: &ReadyProcedure, queued: Queued) -> Queued {
    let gate = StartGate::of(ready, &queued);
    let gate = gate.map(|gate| Box::new(gate.subject().ask(&queued, queued.queued_at)));
    Queued { gate, ..queued }
}

impl Engine {
    /// What has to be asked before this run starts: nothing where it has started before, or where exactly this
    /// was approved. What was approved of another definition is void.
    pub(crate) fn still_to_ask(&self, ready: &ReadyProcedure, run: &Run) -> Option<Box<Request>> {
        let gate = StartGate::of(ready, &run.queued).filter(|_| run.started_at.is_none())?;
        let decided = run.decided(gate.subject()).and_then(|asked| asked.decided);
        let approved = matches!(decided, Some((_, Outcome::Approved)));
        (!approved).then(|| Box::new(gate.subject().ask(&run.queued, self.now())))
    }

    /// Asks anew what people are asked before a run starts, where its procedure's definition has changed since.
    pub(crate) async fn ask_anew_where_it_changed(&self, ready: &ReadyProcedure, run: Run) -> Stored<Run> {
        let gate = StartGate::of(ready, &run.queued).filter(|_| run.state == RunState::WaitingApproval);
        let (Some(gate), Some(open)) = (gate, run.open_request()) else {
            return Ok(run);
        };
        let asked = &open.request;
        if gate.subject().digest(&run.queued, asked.asked_at) == asked.digest {
            return Ok(run);
        }
        let at = self.now();
        let request = Box::new(gate.subject().ask(&run.queued, at));
        let event = RunEvent::AskedAnew { at, request };
        match self.store().apply(run.id(), run.epoch, event, &Actor::Host).await {
            // Somebody answered just now: what that was about is looked at before it starts.
            Err(StoreError::Stale { .. }) => Ok(run),
            answer => answer,
        }
    }
}
