//! `sopwith why`: says why ticks ran, were skipped or were missed.

use super::{Common, pause};
use crate::clock::SystemClock;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::moment::Said;
use crate::output::{self, bold, instant};
use jiff::Timestamp;
use sopwith_core::moment::Moment;
use sopwith_core::name::{ProcedureName, ScheduleName};
use sopwith_core::port::operations::{ComingFilter, Explanation, Operations};
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
        .why(arguments.procedure.clone(), at)
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
        let nothing = match at.filter(|_| explanation.ticks.is_empty()) {
            Some(at) => {
                let of = (&arguments.procedure, &explanation.schedule);
                nothing_at(host.operations(), of, at, now).await
            }
            None => "no tick yet".to_owned(),
        };
        print(explanation, &nothing);
    }
    Ok(Exit::Passed)
}

/// Why there is no tick around that instant: it is to come, or the record does not go back as far.
async fn nothing_at(
    host: &dyn Operations,
    (procedure, schedule): (&ProcedureName, &ScheduleName),
    at: Timestamp,
    now: Timestamp,
) -> String {
    let around = instant(at);
    if at > now {
        let filter = ComingFilter {
            procedure: Some(procedure.clone()),
            from: Some(Moment::Instant(at)),
            ..ComingFilter::default()
        };
        // What cannot be told now is left out of the sentence.
        let coming = host.coming(filter).await.unwrap_or_default();
        let tick = coming.iter().find(|tick| tick.schedule == *schedule);
        let tick = tick.map_or_else(String::new, |tick| {
            format!("; the tick then is {}", instant(tick.at))
        });
        return format!("{around} is to come{tick}");
    }
    let newest = host.why(procedure.clone(), None).await.unwrap_or_default();
    let mut newest = newest.iter().filter(|one| one.schedule == *schedule);
    if newest.all(|one| one.ticks.is_empty()) {
        return "no tick yet".to_owned();
    }
    let granted = host.grants(Some(procedure.clone())).await.unwrap_or_default();
    let since = granted.iter().find_map(|one| one.since);
    let since = since.map_or_else(String::new, |since| {
        format!("; the oldest run on record is of {}", instant(since))
    });
    format!("no tick of {around} or around it is on record{since}")
}

fn print(explanation: &Explanation, nothing: &str) {
    anstream::println!("{}", bold(&format!("schedule {}", explanation.schedule)));
    for tick in &explanation.ticks {
        match tick {
            TickOutcome::Run(run) => print_run(run),
            TickOutcome::Range(range) => print_range(range),
        }
    }
    if explanation.ticks.is_empty() {
        anstream::println!("  {nothing}");
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
        "  {}  {became} {}{caught_up}: {}{}",
        instant(nominal_at),
        run.id(),
        output::state(run),
        and_what_came_of_it(&output::sentence(run))
    );
}

/// Of a run that has not ended nothing can be said.
fn and_what_came_of_it(sentence: &str) -> String {
    match sentence {
        "" => String::new(),
        sentence => format!("; {sentence}"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_run_without_an_end_nothing_is_said_behind_its_state() {
        assert_eq!(and_what_came_of_it(""), "");
        assert_eq!(and_what_came_of_it("all is well"), "; all is well");
    }
}
