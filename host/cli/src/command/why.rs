//! `sopwith why`: says why ticks ran, were skipped or were missed.

use super::{Common, pause};
use crate::clock::SystemClock;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::moment::Said;
use crate::output::{self, bold, instant};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::operations::Explanation;
use sopwith_core::port::{Clock as _, NoRun, TickOutcome, TickRange};
use sopwith_core::run::Run;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of this procedure
    procedure: ProcedureName,
    /// Around this time instead of the newest: RFC 3339, local (`2026-03-29T02:30`), or ago (`24h`)
    at: Option<Said>,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let now = SystemClock::new().now();
    let at = arguments.at.and_then(|at| at.ago(now).start(&output::zone()));
    let explanations = host
        .operations()
        .why(arguments.procedure, at)
        .await
        .map_err(Ended::from)?;
    if common.json {
        output::json(&explanations)?;
        return Ok(Exit::Passed);
    }
    if explanations.is_empty() {
        anstream::println!("the procedure has no schedule: it runs when somebody asks for it");
    }
    for explanation in &explanations {
        print(explanation);
    }
    Ok(Exit::Passed)
}

fn print(explanation: &Explanation) {
    anstream::println!("{}", bold(&format!("schedule {}", explanation.schedule)));
    for tick in &explanation.ticks {
        match tick {
            TickOutcome::Run(run) => print_run(run),
            TickOutcome::Range(range) => print_range(range),
        }
    }
    if explanation.ticks.is_empty() {
        anstream::println!("  no tick yet");
    }
    if let Some(pause) = &explanation.paused {
        anstream::println!(
            "  {}; its ticks are skipped until `sopwith resume`",
            pause::sentence(pause)
        );
    } else if let Some(next) = explanation.next_at {
        anstream::println!("  {}  comes next", instant(next));
    }
}

fn print_run(run: &Run) {
    let nominal_at = run.queued.trigger.nominal_at().unwrap_or(run.queued.queued_at);
    let late = nominal_at.duration_until(run.queued.queued_at);
    let caught_up = if late.as_secs() > 60 { ", caught up" } else { "" };
    let became = if run.started_at.is_some() || !run.state.is_final() {
        "ran as"
    } else {
        "did not start; it was to be"
    };
    anstream::println!(
        "  {}  {became} {}{caught_up}: {}; {}",
        instant(nominal_at),
        run.id(),
        output::state(run),
        output::sentence(run)
    );
}

fn print_range(range: &TickRange) {
    let (reason, sentence) = (range.reason.as_str(), sentence(range.reason));
    if range.count == 1 {
        anstream::println!("  {}  {reason}: {sentence}", instant(range.first));
    } else {
        anstream::println!(
            "  {} to {}  {} ticks {reason}: {sentence}",
            instant(range.first),
            instant(range.last),
            range.count
        );
    }
}

/// Why such ticks have no runs.
fn sentence(reason: NoRun) -> &'static str {
    match reason {
        NoRun::Overlap => {
            "an earlier run of the action had not ended, and `overlap` lets none start beside or after it"
        }
        NoRun::Paused => "it was paused; the audit log says by whom",
        NoRun::OutsideWindow => "it lay in none of the schedule's `windows`",
        NoRun::Blackout => "it lay in one of the schedule's `blackouts`, or on one of its `holidays`",
        NoRun::Downtime => "no host was there to run it in time, and `catch_up` does not ask for it",
        NoRun::Deadline => "it could not start within the schedule's `deadline`",
    }
}
