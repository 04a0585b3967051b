//! What a run asks people, and what it waits for, as people read it.

use crate::output::{self, continued, instant};
use serde_json::Value;
use sopwith_core::approval::{Asked, Outcome, RequestKind};
use sopwith_core::run::{Run, Wait};

/// What stands before the value of a field.
const COLUMNS: usize = 11;

/// What a run waits for, in one sentence; none where it waits for nothing.
pub(crate) fn waits_for(run: &Run) -> Option<String> {
    Some(match run.waits_for.as_ref()? {
        Wait::Instant { name, until } => format!("waits until {} (`{name}`)", instant(*until)),
        Wait::People { request } => {
            let (name, role) = (&request.name, request.gate.role);
            let given = run.open_request().map_or(0, |asked| asked.answers.len());
            let (count, by) = (request.gate.count, instant(request.expires_at));
            match request.kind {
                RequestKind::Approval => {
                    format!(
                        "waits for approval of `{name}` by the role `{role}`, {given} of {count} given, until {by}"
                    )
                }
                RequestKind::Attestation => {
                    format!("waits for somebody of the role `{role}` to attest `{name}`, until {by}")
                }
            }
        }
        Wait::Call { run, .. } => format!("waits for the run {run}, which it called"),
    })
}

/// The command with which somebody answers.
pub(crate) fn how_to_answer(run: &Run) -> Option<String> {
    let request = &run.open_request()?.request;
    let (id, name) = (run.id(), &request.name);
    Some(match request.kind {
        RequestKind::Approval => format!("`sopwith approve {id}` or `sopwith reject {id} --note WHY`"),
        RequestKind::Attestation => format!("`sopwith attest {id} {name} --note WHAT`"),
    })
}

/// Prints what was asked, and what was answered to it.
pub(crate) fn print(asked: &Asked) {
    let request = &asked.request;
    field(&request.kind.to_string(), request.name.as_str());
    field("asked", &request.prompt);
    match &request.evidence {
        Value::Null => {}
        Value::String(text) => field("evidence", text),
        other => field(
            "evidence",
            &serde_json::to_string_pretty(other).unwrap_or_default(),
        ),
    }
    field("digest", &request.digest.to_string());
    for (at, answer) in &asked.answers {
        let word = match (answer.breaks_glass, answer.approved) {
            (true, _) => "broke the glass",
            (false, true) => "approved",
            (false, false) => "rejected",
        };
        let note = Some(&answer.note).filter(|note| !note.is_empty());
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        field(
            "answer",
            &format!("{} {word} at {}{note}", answer.by, instant(*at)),
        );
    }
    let decided = match asked.decided {
        Some((at, Outcome::Expired)) => format!("expired at {}", instant(at)),
        Some((at, Outcome::Approved)) => format!("approved at {}", instant(at)),
        Some((at, Outcome::Rejected)) => format!("rejected at {}", instant(at)),
        None => format!("open until {}", instant(request.expires_at)),
    };
    field("decision", &decided);
}

fn field(name: &str, value: &str) {
    anstream::println!("{name:<10} {}", continued(value, COLUMNS));
}

/// What became of an answer.
pub(crate) fn told(run: &Run) -> String {
    let id = run.id();
    match waits_for(run) {
        Some(sentence) => format!("{id} {sentence}"),
        None if run.state.is_final() => format!("{id} is {}", output::state(run)),
        None => format!("{id} goes on: it is {}", output::state(run)),
    }
}
