//! `sopwith:plugin/approvals`

use super::{Reply, reply_or_end, time};
use crate::bindings::sopwith::plugin::approvals::{Decision, Host};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use crate::json;
use sopwith_core::approval::{Asked, Outcome, RequestKind};
use sopwith_core::port::capabilities::{Answer, Waited};

impl Host for Guest {
    async fn request(&mut self, gate: String, prompt: String, evidence: types::Json) -> Reply<Decision> {
        self.ask(RequestKind::Approval, &gate, &prompt, &evidence).await
    }

    async fn attest(&mut self, item: String, prompt: String, evidence: types::Json) -> Reply<Decision> {
        self.ask(RequestKind::Attestation, &item, &prompt, &evidence)
            .await
    }
}

impl Guest {
    async fn ask(&mut self, kind: RequestKind, name: &str, prompt: &str, evidence: &str) -> Reply<Decision> {
        let capabilities = self.call()?;
        let held = self.memory.hold_until_dropped(json::memory(evidence));
        let read = held.and_then(|held| Ok((json::read("the evidence", evidence)?, held)));
        let asked: Answer<Waited<Asked>> = match read {
            Ok((evidence, _held)) => capabilities.approvals().ask(kind, name, prompt, evidence).await,
            Err(failure) => Err(failure),
        };
        let decided = asked.map(|waited| match waited {
            Waited::Over(asked) => Waited::Over(decision(&asked)),
            Waited::Suspended => Waited::Suspended,
        });
        reply_or_end(&self.answered, decided)
    }
}

fn decision(asked: &Asked) -> Decision {
    let (at, outcome) = asked
        .decided
        .unwrap_or((asked.request.asked_at, Outcome::Expired));
    let approved = outcome == Outcome::Approved;
    let notes = asked
        .answers
        .iter()
        .filter(|(_, answer)| answer.approved == approved);
    let notes = notes.map(|(_, answer)| answer.note.as_str());
    let notes: Vec<_> = notes.filter(|note| !note.is_empty()).collect();
    let breaks_glass = asked.answers.iter().any(|(_, answer)| answer.breaks_glass);
    let extra = breaks_glass.then(|| ("breaks-glass".to_owned(), "yes".to_owned()));
    Decision {
        approved,
        by: asked.deciders().map(ToString::to_string).collect(),
        at: time(at),
        note: notes.join("; "),
        extra: extra.into_iter().collect(),
    }
}
