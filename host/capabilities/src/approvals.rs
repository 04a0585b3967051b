//! Asks people, and waits for them with nothing in memory.

use crate::gate::Gate;
use async_trait::async_trait;
use serde_json::Value;
use sopwith_core::approval::{self, Asked, Outcome, RequestKind, START_GATE, Subject};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::name::GateName;
use sopwith_core::port::capabilities::{Answer, Approvals, Waited};
use sopwith_core::run::Wait;
use std::sync::Arc;

/// A question that a person reads at a glance.
const PROMPT_BYTES_MAX: usize = 4 << 10;
/// What is laid before a person; more belongs into an attachment.
const EVIDENCE_BYTES_MAX: usize = 64 << 10;

/// `sopwith:plugin/approvals`
pub(crate) struct People {
    gate: Arc<Gate>,
}

impl People {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate }
    }

    /// Who may answer under this name.
    fn rule(&self, kind: RequestKind, name: &GateName) -> Answer<approval::Gate> {
        let written = self.gate.attempt().gates.get(name).cloned();
        match kind {
            RequestKind::Approval => written.ok_or_else(|| no_gate(name)),
            RequestKind::Attestation => Ok(written.unwrap_or(approval::Gate::MANUAL_STEP)),
        }
    }
}

#[async_trait]
impl Approvals for People {
    async fn ask(
        &self,
        kind: RequestKind,
        name: &str,
        prompt: &str,
        evidence: Value,
    ) -> Answer<Waited<Asked>> {
        self.gate.stop().check()?;
        check_size("prompt", prompt.len(), PROMPT_BYTES_MAX)?;
        check_size("evidence", evidence.to_string().len(), EVIDENCE_BYTES_MAX)?;
        let name: GateName = name
            .parse()
            .map_err(|error| Failure::invalid(format!("{error}")))?;
        if name.as_str() == START_GATE && kind == RequestKind::Approval {
            let message = format!("the gate `{START_GATE}` is asked by the host, before a run starts");
            return Err(Failure::invalid(message));
        }
        let rule = self.rule(kind, &name)?;
        if self.gate.dry_run() {
            return Err(self.planned(kind, &name).await);
        }
        let redaction = self.gate.record().redaction();
        let (prompt, evidence) = (redaction.line(prompt), redaction.json(evidence));
        let attempt = self.gate.attempt();
        let subject = Subject {
            kind,
            name: &name,
            prompt: &prompt,
            evidence: &evidence,
            gate: &rule,
            revision: attempt.revision,
        };
        match attempt.run.decided(subject) {
            Some(asked) if matches!(asked.decided, Some((_, Outcome::Expired))) => Err(expired(&name)),
            Some(asked) => Ok(Waited::Over(asked.clone())),
            None => {
                let request = Box::new(subject.ask(&attempt.run.queued, self.gate.clock().now()));
                self.gate.suspend(Wait::People { request })?;
                Ok(Waited::Suspended)
            }
        }
    }
}

impl People {
    async fn planned(&self, kind: RequestKind, name: &GateName) -> Failure {
        let call = match kind {
            RequestKind::Approval => "approvals.request",
            RequestKind::Attestation => "approvals.attest",
        };
        let (call, object) = (call.to_owned(), name.to_string());
        if let Err(failure) = self.gate.record().durably(Note::Planned { call, object }).await {
            return failure;
        }
        let message = format!("a dry run asks nobody about `{name}`");
        Failure::new(FailureKind::Planned, Blame::Operator, message)
    }
}

fn no_gate(name: &GateName) -> Failure {
    let message = format!("the procedure has no gate `{name}`");
    Failure::new(FailureKind::Denied, Blame::Operator, message).hint(format!(
        "write who may answer:  [gates.{name}] role = \"approver\""
    ))
}

fn expired(name: &GateName) -> Failure {
    let message = format!("nobody decided about `{name}` in time");
    Failure::new(FailureKind::Timeout, Blame::Operator, message)
}

fn check_size(what: &str, bytes: usize, bytes_max: usize) -> Answer<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let message = format!("the {what} of a request has {bytes} bytes, and may have {bytes_max}");
    Err(Failure::limit(what, message))
}
