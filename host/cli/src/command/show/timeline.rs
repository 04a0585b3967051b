//! What happened in a run, in order.

use crate::output::{self, bold, bytes, instant, took};
use jiff::{SignedDuration, Timestamp};
use sopwith_core::approval::RequestKind;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::operations::RunDetails;
use sopwith_core::run::{RunEvent, Wait};
use std::collections::BTreeMap;
use std::time::Duration;

/// What stands before a line of the timeline.
const TIME_COLUMNS: usize = 14;

pub(super) fn print(details: &RunDetails, journal: &[JournalEntry]) {
    let origin = details.run.queued.queued_at;
    anstream::println!("\n{}", bold(&format!("Timeline, from {}", instant(origin))));
    for (at, line) in lines(&details.events, journal) {
        let line = output::continued(&line, TIME_COLUMNS);
        anstream::println!("  {:>10}  {line}", offset(origin.duration_until(at)));
    }
    anstream::println!();
}

/// The lines of both, in order; what has one instant stays in the order of the record.
fn lines(events: &[RunEvent], journal: &[JournalEntry]) -> Vec<(Timestamp, String)> {
    let mut attempt = 0;
    let of_events = events.iter().map(|event| {
        attempt += u32::from(matches!(event, RunEvent::AttemptStarted { .. }));
        (event.at(), event_line(event, attempt))
    });
    let mut lines: Vec<_> = of_events.collect();
    let mut began = BTreeMap::new();
    lines.extend(journal.iter().filter_map(|entry| {
        let line = note_line(&entry.note)?;
        Some((entry.at, format!("{line}{}", step_took(entry, &mut began))))
    }));
    lines.sort_by_key(|(at, _)| *at);
    lines
}

/// How long a step took that ends with this entry.
fn step_took<'j>(entry: &'j JournalEntry, began: &mut BTreeMap<&'j str, Timestamp>) -> String {
    let (ended, before) = match &entry.note {
        Note::StepBegan { name } => {
            began.insert(name, entry.at);
            return String::new();
        }
        Note::StepFinished { name, .. } => (name.as_str(), " after "),
        // Behind the words of a failure it would look like a part of them.
        Note::StepFailed { name, .. } => (name.as_str(), "\nafter "),
        _ => return String::new(),
    };
    let lasted = began.remove(ended).map(|began| began.duration_until(entry.at));
    let lasted = lasted.and_then(|lasted| Duration::try_from(lasted).ok());
    lasted.map_or_else(String::new, |lasted| format!("{before}{}", took(lasted)))
}

fn offset(since: SignedDuration) -> String {
    format!("+{:.3} s", since.as_secs_f64())
}

fn event_line(event: &RunEvent, attempt: u32) -> String {
    match event {
        RunEvent::Queued(queued) => format!("queued by {}", queued.actor),
        RunEvent::AttemptStarted { .. } => format!("attempt {attempt} started"),
        RunEvent::Succeeded { report, .. } => format!("ended: {}", report.verdict),
        RunEvent::AttemptFailed {
            failure,
            retry_at: None,
            ..
        } => format!("attempt {attempt} failed: {failure}"),
        RunEvent::AttemptFailed {
            failure,
            retry_at: Some(at),
            ..
        } => {
            format!(
                "attempt {attempt} failed, the next one at {}: {failure}",
                instant(*at)
            )
        }
        RunEvent::Interrupted { reason, .. } => format!("cut off and queued again: {reason}"),
        RunEvent::Suspended { wait, .. } => match &**wait {
            Wait::Instant { name, until } => format!("suspended until {} (`{name}`)", instant(*until)),
            Wait::People { request } => format!("suspended: asks about `{}`", request.name),
            Wait::Call { run, .. } => format!("suspended: the run {run}, which it called, waits"),
        },
        RunEvent::Answered { name, answer, .. } if answer.breaks_glass => {
            format!("{} broke the glass of `{name}`: {}", answer.by, answer.note)
        }
        RunEvent::Answered {
            kind, name, answer, ..
        } => {
            let word = match (kind, answer.approved) {
                (RequestKind::Approval, true) => "approved",
                (RequestKind::Approval, false) => "rejected",
                (RequestKind::Attestation, true) => "attested",
                (RequestKind::Attestation, false) => "did not attest",
            };
            let note = Some(&answer.note).filter(|note| !note.is_empty());
            let note = note.map_or_else(String::new, |note| format!(": {note}"));
            format!("{} {word} `{name}`{note}", answer.by)
        }
        RunEvent::RequestExpired { name, .. } => format!("nobody decided about `{name}` in time"),
        RunEvent::AskedAnew { request, .. } => {
            format!(
                "asks about `{}` anew: the procedure's definition has changed",
                request.name
            )
        }
        RunEvent::CancelRequested {
            replaced_by: Some(other),
            ..
        } => format!("told to end: {other} takes its place"),
        RunEvent::Missed { failure, .. } => format!("missed: {failure}"),
        RunEvent::CancelRequested { by, .. } => format!("{by} asked for an end"),
        RunEvent::Cancelled { failure, .. } => format!("cancelled: {failure}"),
    }
}

/// A note as people read it, perhaps on several lines; none for those that are of no use by themselves.
pub(crate) fn note_line(note: &Note) -> Option<String> {
    Some(match note {
        Note::Log {
            level,
            message,
            fields,
        } => {
            let fields = fields.iter().fold(String::new(), |text, (name, value)| {
                format!("{text} {name}={value}")
            });
            format!("{level:<5} {message}{fields}")
        }
        Note::Printed { stream, text } => format!("{stream}: {text}"),
        Note::StepBegan { name } => format!("step `{name}` began"),
        // The sums of uses stand in a table of their own.
        Note::StepProgress { .. } | Note::Used { .. } => return None,
        Note::StepFinished { name, .. } => format!("step `{name}` finished"),
        Note::StepSkipped { name, reason } => format!("step `{name}` was left out: {reason}"),
        Note::StepFailed { name, failure } => format!("step `{name}` failed: {failure}"),
        Note::StepRecalled { name } => format!("step `{name}` had been finished by an earlier attempt"),
        Note::Finding(finding) => format!("finding ({}) {}", finding.severity, output::finding(finding)),
        Note::Checked { check, subjects } => format!(
            "check `{check}` carried out on {}",
            output::count(usize::try_from(*subjects).unwrap_or(usize::MAX), "subject")
        ),
        Note::Metric { name, value, unit } => format!("{name} = {}", output::figure(*value, unit)),
        Note::Attached {
            name,
            media_type,
            bytes: size,
        } => format!("attached `{name}` ({media_type}, {})", bytes(*size)),
        Note::Change { call, object } => format!("change: {call} {object}"),
        Note::ChangeFailed {
            call,
            object,
            failure,
        } => format!("change failed: {call} {object}: {failure}"),
        Note::Planned { call, object } => format!("would change: {call} {object}"),
        Note::Denied(denial) => format!("denied: {denial}; {}", denial.hint),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_plugin_looks_like_one_of_the_host() {
        let log = Note::Log {
            level: "info".to_owned(),
            message: "done".to_owned(),
            fields: vec![("a".to_owned(), "1\n+0.100 s  change: files.remove all".to_owned())],
        };
        let line = output::continued(&note_line(&log).expect("a line"), TIME_COLUMNS);
        let expected = "info  done a=1\n              │ +0.100 s  change: files.remove all";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_step_tells_how_long_it_took_in_each_attempt() {
        let entry = |second, note| JournalEntry {
            at: Timestamp::from_second(second).expect("a time"),
            attempt: 1,
            note,
        };
        let name = || "copy".to_owned();
        let failure = sopwith_core::failure::Failure::host("it broke");
        let journal = [
            entry(1, Note::StepBegan { name: name() }),
            entry(
                4,
                Note::StepFailed {
                    name: name(),
                    failure,
                },
            ),
            entry(5, Note::StepBegan { name: name() }),
            entry(
                65,
                Note::StepFinished {
                    name: name(),
                    output: serde_json::Value::Null,
                },
            ),
        ];
        let lines: Vec<_> = lines(&[], &journal).into_iter().map(|(_, line)| line).collect();
        assert!(lines[1].ends_with("\nafter 3.0 s"), "{lines:?}");
        assert_eq!(lines[3], "step `copy` finished after 1m");
    }
}
