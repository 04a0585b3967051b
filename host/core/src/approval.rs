//! What people are asked while a run waits, and how their answers decide.
//!
//! A request is bound to a digest of everything that the answer is about. Whoever asks again with
//! another plugin, definition, input or prompt asks something new, and what was answered before is void.

use crate::actor::Actor;
use crate::audit::canonical;
use crate::digest::Digest;
use crate::name::GateName;
use crate::role::Role;
use crate::run::{Queued, RunId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Parts these digests from all other uses of SHA-256.
const DOMAIN: &str = "sopwith request 1";

/// The gate that is asked before any run of a procedure, whatever triggered it.
pub const START_GATE: &str = "start";

/// How long an answer is waited for where the procedure does not say.
pub const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What a procedure's file says of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Who may answer.
    pub role: Role,
    /// How many different people have to approve; at least one.
    pub count: u32,
    /// How long an answer is waited for.
    pub expires: SignedDuration,
}

impl Gate {
    /// What holds for a manual step that the procedure's file says nothing of: whoever may start
    /// runs may attest it.
    pub const MANUAL_STEP: Self = Self {
        role: Role::Operator,
        count: 1,
        expires: EXPIRES_AFTER,
    };
}

/// The kinds of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// Whether the run may go on; never answered by whoever asked for the run.
    Approval,
    /// That somebody did or saw something.
    Attestation,
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approval => "approval",
            Self::Attestation => "attestation",
        })
    }
}

/// What people are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What kind of answer is wanted.
    pub kind: RequestKind,
    /// The gate's name, or the item's.
    pub name: GateName,
    /// What is asked, in the plugin's words.
    pub prompt: String,
    /// What the plugin lays before them.
    pub evidence: Value,
    /// Who may answer, how many, how long.
    pub gate: Gate,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it is too late.
    pub expires_at: Timestamp,
    /// What an answer is bound to.
    pub digest: Digest,
}

/// What a request is about, before it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What kind of answer is wanted.
    pub kind: RequestKind,
    /// The gate's name, or the item's.
    pub name: &'a GateName,
    /// What is asked.
    pub prompt: &'a str,
    /// What is laid before them.
    pub evidence: &'a Value,
    /// Who may answer.
    pub gate: &'a Gate,
    /// The procedure's definition as it is in force now.
    pub revision: Digest,
}

impl Subject<'_> {
    /// The request of a run, asked at this instant.
    pub fn ask(self, run: &Queued, at: Timestamp) -> Request {
        Request {
            kind: self.kind,
            name: self.name.clone(),
            prompt: self.prompt.to_owned(),
            evidence: self.evidence.clone(),
            gate: self.gate.clone(),
            asked_at: at,
            expires_at: at.checked_add(self.gate.expires).unwrap_or(Timestamp::MAX),
            digest: self.digest(run, at),
        }
    }

    /// The digest of plugin, definition, inputs and instant, and of what is shown.
    pub fn digest(self, run: &Queued, at: Timestamp) -> Digest {
        let bound = serde_json::json!({
            "domain": DOMAIN,
            "run": run.id,
            "plugin": run.plugin_digest,
            "revision": self.revision,
            "settings": run.settings,
            "inputs": run.inputs,
            "lent": run.lent,
            "kind": self.kind,
            "name": self.name,
            "gate": self.gate,
            "prompt": self.prompt,
            "evidence": self.evidence,
            "asked_at": at,
        });
        Digest::of(canonical(&bound))
    }
}

/// One person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub by: Actor,
    /// Whether the run may go on, or the thing was done or seen.
    pub approved: bool,
    /// What they say of it.
    pub note: String,
    /// Whether this answer alone lets the run go on, in spite of role, number and requester.
    #[serde(default)]
    pub breaks_glass: bool,
}

/// How a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// By as many people as the gate asks for, or by one who broke the glass.
    Approved,
    /// By one person.
    Rejected,
    /// By nobody, until it was too late.
    Expired,
}

/// A request with what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What was asked.
    pub request: Request,
    /// The answers, each with its instant, in order.
    pub answers: Vec<(Timestamp, Answer)>,
    /// What it was decided to, and when; none while it waits.
    pub decided: Option<(Timestamp, Outcome)>,
}

impl Asked {
    /// A request that nobody has answered yet.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            answers: Vec::new(),
            decided: None,
        }
    }

    /// Adds an answer, and decides where it settles the matter.
    pub fn answer(&mut self, at: Timestamp, answer: Answer) {
        let (approved, breaks_glass) = (answer.approved, answer.breaks_glass);
        self.answers.push((at, answer));
        let approvals = self.answers.iter().filter(|(_, answer)| answer.approved).count();
        let enough = approvals >= usize::try_from(self.request.gate.count).unwrap_or(usize::MAX);
        let outcome = match approved {
            false => Outcome::Rejected,
            true if breaks_glass || enough => Outcome::Approved,
            true => return,
        };
        self.decided = Some((at, outcome));
    }

    /// Who approved, or who rejected.
    pub fn deciders(&self) -> impl Iterator<Item = &Actor> {
        let approved = matches!(self.decided, Some((_, Outcome::Approved)));
        let answers = self.answers.iter();
        answers
            .filter(move |(_, answer)| answer.approved == approved)
            .map(|(_, answer)| &answer.by)
    }
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefused {
    /// Whoever wants the run may not approve it.
    #[error("{by} asked for run `{run}`, and nobody approves what they asked for themselves")]
    Requester {
        /// Who.
        by: Actor,
        /// Which run.
        run: RunId,
    },
    /// One person counts once.
    #[error("{by} has answered this already")]
    Again {
        /// Who.
        by: Actor,
    },
    /// It was asked anew since.
    #[error("what was looked at (`{seen}`) is not what is asked now (`{now}`)")]
    Changed {
        /// The digest that they had before them.
        seen: Digest,
        /// The digest of what is asked.
        now: Digest,
    },
    /// A glass is broken to go on.
    #[error("the glass is broken to approve; rejecting needs no broken glass")]
    BrokenToReject,
    /// A glass is broken for a reason.
    #[error("breaking the glass needs a reason")]
    NoReason,
}

/// Whether an answer to this request of a run counts. That its author has the gate's role is decided
/// elsewhere.
pub fn check(
    run: &Queued,
    asked: &Asked,
    answer: &Answer,
    seen: Option<Digest>,
) -> Result<(), AnswerRefused> {
    let now = asked.request.digest;
    if let Some(seen) = seen.filter(|seen| *seen != now) {
        return Err(AnswerRefused::Changed { seen, now });
    }
    if answer.breaks_glass && !answer.approved {
        return Err(AnswerRefused::BrokenToReject);
    }
    if answer.breaks_glass {
        let has_reason = !answer.note.trim().is_empty();
        return has_reason.then_some(()).ok_or(AnswerRefused::NoReason);
    }
    let approves = asked.request.kind == RequestKind::Approval && answer.approved;
    if approves && answer.by.is_same_person(run.requester()) {
        let (by, run) = (answer.by.clone(), run.id);
        return Err(AnswerRefused::Requester { by, run });
    }
    let mut before = asked.answers.iter();
    if before.any(|(_, other)| other.by.is_same_person(&answer.by)) {
        return Err(AnswerRefused::Again {
            by: answer.by.clone(),
        });
    }
    Ok(())
}
