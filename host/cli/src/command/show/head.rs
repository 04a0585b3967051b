//! What a run is, how it ended and who is to look at it.

use super::field;
use crate::asking;
use crate::output::{self, instant};
use serde_json::Value;
use sopwith_core::failure::{Blame, Failure};
use sopwith_core::run::{Run, RunState, Trigger};

/// A tick that started later than this is told to be late, in seconds.
const LATE_SECONDS: i64 = 60;

pub(super) fn print(run: &Run) {
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
    if !queued.lent.is_empty() {
        let lent: Vec<_> = queued.lent.iter().map(String::as_str).collect();
        let told = format!(
            "scratch databases of its caller in the place of {}",
            lent.join(", ")
        );
        field("lent", &told);
    }
    if let Some(told) = inputs(&queued.inputs) {
        field("inputs", &told);
    }
    let passed = if run.passed() { ", passed" } else { "" };
    field("state", &format!("{}{passed}", output::state(run)));
    print_times(run);
    if let Some(report) = &run.report {
        field("summary", &report.summary);
    }
    if let Some(by) = &run.cancelled_by {
        field("cancelled", &format!("{by} asked for it"));
    }
    if let Some(failure) = &run.failure {
        print_failure(failure, run.state);
    }
    for asked in &run.requests {
        anstream::println!();
        asking::print(asked);
    }
}

fn print_times(run: &Run) {
    if let Some(started_at) = run.started_at {
        field("started", &instant(started_at));
    }
    if let Some(ended_at) = run.ended_at {
        let took = output::run_took(run).map_or_else(String::new, |took| format!(" after {took}"));
        field("ended", &format!("{}{took}", instant(ended_at)));
    }
    if run.attempt > 1 {
        field("attempts", &run.attempt.to_string());
    }
    if run.resumed > 0 {
        let times = usize::try_from(run.resumed).unwrap_or(usize::MAX);
        let told = format!("{} after it had been cut off", output::count(times, "time"));
        field("resumed", &told);
    }
}

fn print_failure(failure: &Failure, state: RunState) {
    let (kind, blame) = (failure.kind.as_str(), failure.blame);
    if let Some(told) = nobodys(state) {
        field("failure", &format!("{} ({kind})", failure.message));
        field("blame", told);
    } else {
        let told = format!("{} ({kind}, blame: {})", failure.message, blame.as_str());
        field("failure", &told);
        field("blame", whose(blame));
    }
    if let Some(hint) = &failure.hint {
        field("hint", hint);
    }
}

/// What is told where people decided, so that there is nothing to mend.
fn nobodys(state: RunState) -> Option<&'static str> {
    match state {
        RunState::Rejected => Some("nobody's: people were asked, and said no"),
        RunState::Expired => Some("nobody's: people were asked, and nobody answered in time"),
        _ => None,
    }
}

/// Who is to look at it.
fn whose(blame: Blame) -> &'static str {
    match blame {
        Blame::Plugin => "the plugin: whoever wrote it has to mend it",
        Blame::Host => "the host: the machine, its disk or memory, or Sopwith itself",
        Blame::Operator => "the configuration, or what the run was told",
        Blame::Outside => "something outside: a service or a network that the procedure needs",
    }
}

fn trigger(run: &Run) -> String {
    match &run.queued.trigger {
        Trigger::Schedule { schedule, nominal_at } => {
            let late = nominal_at.duration_until(run.queued.queued_at).as_secs();
            let caught_up = if late > LATE_SECONDS {
                format!(", caught up at {}", instant(run.queued.queued_at))
            } else {
                String::new()
            };
            format!("schedule {schedule} for {}{caught_up}", instant(*nominal_at))
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

/// What a run was told, where it was told anything.
fn inputs(inputs: &Value) -> Option<String> {
    let told = inputs.as_object().filter(|told| !told.is_empty())?;
    let told: Vec<_> = told
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Some(told.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_no_has_made_no_mistake() {
        assert!(nobodys(RunState::Rejected).unwrap().contains("said no"));
        assert!(
            nobodys(RunState::Expired)
                .unwrap()
                .contains("nobody answered in time")
        );
        assert_eq!(nobodys(RunState::Failed), None);
    }
}
