//! `sopwith show`: everything about a run.

use super::Common;
use crate::asking;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, bold, bytes, instant, took};
use anstyle::AnsiColor;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sopwith_core::failure::Failure;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::limits::{Figure, Limits, Share};
use sopwith_core::port::operations::{Operations, RunDetails};
use sopwith_core::run::{Run, RunEvent, RunId, RunState, Trigger, Wait};

/// The share of a limit from which on it is marked, in hundredths.
const NEAR_PERCENT: u64 = 80;
/// What stands before the value of a field.
const FIELD_COLUMNS: usize = 11;
/// What stands before a line of the timeline.
const TIME_COLUMNS: usize = 14;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its newest run)
    run: String,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let details = host.operations().run(&arguments.run).await.map_err(Ended::from)?;
    let journal = whole_journal(host.operations(), details.run.id()).await?;
    if common.json {
        output::json(&json!({ "details": details, "journal": journal }))?;
    } else {
        print(&details, &journal);
    }
    Ok(Exit::Passed)
}

/// The whole record of a run, page by page.
pub(crate) async fn whole_journal(
    operations: &dyn Operations,
    id: RunId,
) -> Result<Vec<JournalEntry>, Ended> {
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let page = operations.journal(id, after).await?;
        let Some((last, _)) = page.last() else {
            return Ok(entries);
        };
        after = *last;
        entries.extend(page.into_iter().map(|(_, entry)| entry));
    }
}

fn print(details: &RunDetails, journal: &[JournalEntry]) {
    print_head(&details.run);
    for asked in &details.run.requests {
        anstream::println!();
        asking::print(asked);
    }
    print_timeline(details, journal);
    print_usage(&details.run, details.limits.as_ref());
    for (name, media_type, size) in &details.attachments {
        anstream::println!("attached   {name} ({media_type}, {})", bytes(*size));
    }
    if let Some(report) = &details.run.report {
        output::lists(&report.output);
    }
    print_next(&details.run);
}

fn print_head(run: &Run) {
    let queued = &run.queued;
    let dry = if queued.dry_run { ", a dry run" } else { "" };
    field("run", &run.id().to_string());
    field(
        "procedure",
        &format!("{} · {}{dry}", queued.procedure, queued.action),
    );
    field(
        "plugin",
        &format!("{} {}", queued.plugin, queued.plugin_digest.short()),
    );
    field("trigger", &trigger(run));
    field(
        "state",
        &format!(
            "{}{}",
            output::state(run),
            if run.passed() { ", passed" } else { "" }
        ),
    );
    if let Some(lasted) = output::run_took(run) {
        field("took", &lasted);
    }
    if run.resumed > 0 {
        field(
            "resumed",
            &format!("{} times after it had been cut off", run.resumed),
        );
    }
    if let Some(report) = &run.report {
        field("summary", &report.summary);
    }
    if let Some(failure) = &run.failure {
        field(
            "failure",
            &format!(
                "{} ({}, blame: {})",
                failure.message,
                failure.kind.as_str(),
                failure.blame.as_str()
            ),
        );
        if let Some(hint) = &failure.hint {
            field("hint", hint);
        }
    }
}

fn field(name: &str, value: &str) {
    anstream::println!("{name:<10} {}", output::continued(value, FIELD_COLUMNS));
}

fn trigger(run: &Run) -> String {
    match &run.queued.trigger {
        Trigger::Schedule { schedule, nominal_at } => {
            format!("schedule {schedule} for {}", instant(*nominal_at))
        }
        Trigger::After { schedule, run, .. } => format!("schedule {schedule} after {run}"),
        Trigger::Event { schedule, event, .. } => {
            let by = &run.queued.actor;
            format!("schedule {schedule} on the event {event}, told by {by}")
        }
        Trigger::Manual => {
            let again = run.queued.retry_of.map(|id| format!(", again after {id}"));
            let (actor, at) = (&run.queued.actor, instant(run.queued.queued_at));
            format!("{actor} at {at}{}", again.unwrap_or_default())
        }
        Trigger::Procedure { run: caller, .. } => format!("called by the run {caller}"),
    }
}

fn print_timeline(details: &RunDetails, journal: &[JournalEntry]) {
    let mut lines: Vec<(Timestamp, String)> = details
        .events
        .iter()
        .map(|event| (event.at(), event_line(event)))
        .collect();
    lines.extend(
        journal
            .iter()
            .filter_map(|entry| Some((entry.at, note_line(&entry.note)?))),
    );
    lines.sort_by_key(|(at, _)| *at);
    let origin = details.run.queued.queued_at;
    anstream::println!("\n{}", bold(&format!("Timeline, from {}", instant(origin))));
    for (at, line) in lines {
        let line = output::continued(&line, TIME_COLUMNS);
        anstream::println!("  {:>10}  {line}", offset(origin.duration_until(at)));
    }
    anstream::println!();
}

fn offset(since: SignedDuration) -> String {
    format!("+{:.3} s", since.as_secs_f64())
}

fn event_line(event: &RunEvent) -> String {
    match event {
        RunEvent::Queued(queued) => format!("queued by {}", queued.actor),
        RunEvent::AttemptStarted { .. } => "attempt started".to_owned(),
        RunEvent::Succeeded { report, .. } => format!("ended: {}", report.verdict),
        RunEvent::AttemptFailed {
            failure,
            retry_at: None,
            ..
        } => format!("attempt failed: {failure}"),
        RunEvent::AttemptFailed {
            failure,
            retry_at: Some(at),
            ..
        } => {
            format!("attempt failed, the next one at {}: {failure}", instant(*at))
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
        RunEvent::Answered { name, answer, .. } => {
            let word = if answer.approved { "approved" } else { "rejected" };
            let note = Some(&answer.note).filter(|note| !note.is_empty());
            let note = note.map_or_else(String::new, |note| format!(": {note}"));
            format!("{} {word} `{name}`{note}", answer.by)
        }
        RunEvent::RequestExpired { name, .. } => format!("nobody decided about `{name}` in time"),
        RunEvent::CancelRequested {
            replaced_by: Some(other),
            ..
        } => format!("told to end: {other} takes its place"),
        RunEvent::CancelRequested { by, .. } => format!("{by} asked for an end"),
        RunEvent::Missed { failure, .. } => format!("missed: {failure}"),
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
        // The sums of uses are what people ask for: `sopwith grants`.
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

fn print_usage(run: &Run, limits: Option<&Limits>) {
    let (Some(usage), Some(limits)) = (&run.usage, limits) else {
        return;
    };
    anstream::println!("{}", bold("Used of what is allowed"));
    let shares = limits.shares(usage);
    let rows = shares.iter().map(|share| share_row(share, run.failure.as_ref()));
    output::table(&["LIMIT", "USED", "ALLOWED", "SHARE"], rows.collect());
}

/// A limit that is used up, or nearly so, is marked.
fn share_row(share: &Share, failure: Option<&Failure>) -> Vec<String> {
    let figure = |figure| match figure {
        Figure::Time(time) => took(time),
        Figure::Bytes(count) => bytes(count),
        Figure::Count(count) => count.to_string(),
    };
    let percent = share.percent();
    let is_reached = failure.is_some_and(|failure| {
        let named = |(name, value): &(String, String)| name == "limit" && value == share.limit;
        failure.extra.iter().any(named)
    });
    let mark = if is_reached {
        output::painted(AnsiColor::Red.on_default(), " reached")
    } else if percent >= NEAR_PERCENT {
        output::painted(AnsiColor::Yellow.on_default(), " near the limit")
    } else {
        String::new()
    };
    vec![
        share.limit.to_owned(),
        figure(share.used),
        figure(share.allowed),
        format!("{percent} %{mark}"),
    ]
}

fn print_next(run: &Run) {
    let procedure = &run.queued.procedure;
    if let Some(sentence) = asking::waits_for(run) {
        let answer =
            asking::how_to_answer(run).map_or_else(String::new, |answer| format!("; answer with {answer}"));
        anstream::println!("\nnext       it {sentence}{answer}");
    }
    match run.state {
        RunState::RetryWait => {
            if let Some(at) = run.retry_at {
                anstream::println!("\nnext       another attempt at {}", instant(at));
            }
        }
        RunState::Failed | RunState::TimedOut | RunState::Lost => {
            anstream::println!("\nnext       mend it, then `sopwith retry {}`", run.id());
        }
        RunState::Succeeded if !run.passed() => {
            anstream::println!(
                "\nnext       look at the findings above, then `sopwith run {procedure} {}`",
                run.queued.action
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::limits::Usage;

    #[test]
    fn a_limit_that_is_near_or_reached_is_marked() {
        let limits = Limits::default();
        let usage = Usage {
            wall: limits.timeout * 4 / 5,
            calls: limits.calls - 1,
            rows: limits.rows / 2,
            ..Usage::default()
        };
        let failure = Failure::limit("rows", "too many");
        let rows: Vec<_> = limits
            .shares(&usage)
            .iter()
            .map(|share| {
                anstream::adapter::strip_str(&share_row(share, Some(&failure)).join(" ")).to_string()
            })
            .collect();
        for row in [
            "timeout 8m 10m 80 % near the limit",
            "calls 99999 100000 99 % near the limit",
            "rows 50000 100000 50 % reached",
            "memory 0 B 64.0 MiB 0 %",
        ] {
            assert!(rows.iter().any(|shown| shown == row), "{row}: {rows:?}");
        }
    }

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
}
