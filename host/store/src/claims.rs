//! Claims ticks: cursor, overlap, run, ranges and audit entries in one transaction.

use crate::fault::Outcome;
use crate::overlap::{self, Decided};
use crate::{audit, pauses, schedules, ticks};
use jiff::Timestamp;
use rusqlite::Connection;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::port::{Claim, Claimed, NoRun, ScheduleRow, StoreError, TickRange};
use sopwith_core::run::Queued;

/// Claims all ticks up to the cursor of the claim.
pub(crate) fn claim(connection: &Connection, claim: Claim) -> Outcome<Claimed> {
    let Claim {
        seen,
        cursor,
        runs: mut queued,
        overlap,
        mut ranges,
        at,
    } = claim;
    if let Some(run) = queued.first()
        && pauses::hold_off(connection, &run.procedure, &run.action)?
    {
        return Ok(Claimed::Refused);
    }
    if !schedules::advance(connection, &seen, cursor)? {
        return Ok(Claimed::Refused);
    }
    let ran_before = leave_out_those_that_ran(connection, &seen, &mut queued)?;
    let (runs, replaced) = match overlap::decide(connection, queued, overlap, at)? {
        Decided::Start { runs, replaced } => (runs, replaced),
        Decided::Skip(skipped) => {
            let others = ranges.iter().map(|range| range.first);
            let others: Vec<_> = others.chain(ran_before).collect();
            ranges.extend(passed_over(&skipped, &others));
            (Vec::new(), Vec::new())
        }
    };
    let ran = runs.iter().filter_map(|run| run.queued.trigger.nominal_at());
    keep_ranges(connection, &seen, ranges, &ran.collect::<Vec<_>>(), cursor, at)?;
    Ok(Claimed::Held { runs, replaced })
}

/// The ticks of runs that overlap alone, in ranges without any of the others between.
fn passed_over(skipped: &[Queued], others: &[Timestamp]) -> Vec<TickRange> {
    let ticks: Vec<_> = skipped
        .iter()
        .filter_map(|queued| queued.trigger.nominal_at())
        .collect();
    let follows = |one: &Timestamp, next: &Timestamp| !others.iter().any(|other| one < other && other < next);
    let ranges = ticks.chunk_by(follows).map(|ticks| TickRange {
        first: ticks[0],
        last: ticks[ticks.len() - 1],
        count: ticks.len() as u64,
        reason: NoRun::Overlap,
    });
    ranges.collect()
}

/// A clock that was turned back may bring a tick again; returns such ticks.
fn leave_out_those_that_ran(
    connection: &Connection,
    seen: &ScheduleRow,
    queued: &mut Vec<Queued>,
) -> Outcome<Vec<Timestamp>> {
    let mut kept = Vec::new();
    let mut ran = Vec::new();
    for run in queued.drain(..) {
        let Some(nominal_at) = run.trigger.nominal_at() else {
            let why = format!("run `{}` of a claim names no tick", run.id);
            return Err(StoreError::Broken(why).into());
        };
        if ticks::has_run(connection, seen, nominal_at)? {
            ran.push(nominal_at);
        } else {
            kept.push(run);
        }
    }
    *queued = kept;
    Ok(ran)
}

/// Keeps the ranges between the ticks that ran.
fn keep_ranges(
    connection: &Connection,
    seen: &ScheduleRow,
    mut ranges: Vec<TickRange>,
    ran: &[Timestamp],
    cursor: Timestamp,
    at: Timestamp,
) -> Outcome<()> {
    ranges.sort_unstable_by_key(|range| range.first);
    let mut after = seen.cursor;
    for (position, range) in ranges.iter().enumerate() {
        let last_run = ran.iter().filter(|run| **run < range.first).max();
        after = last_run.map_or(after, |run| after.max(*run));
        let is_end = position + 1 == ranges.len() && ran.is_empty();
        let covered_to = if is_end { cursor } else { range.last };
        ticks::add_range(connection, seen, range, after, covered_to)?;
        tell(connection, seen, range, at)?;
        after = covered_to;
    }
    Ok(())
}

/// Tells the audit log of ticks without runs.
pub(crate) fn tell(
    connection: &Connection,
    seen: &ScheduleRow,
    range: &TickRange,
    at: Timestamp,
) -> Outcome<()> {
    let payload = serde_json::to_value(range).map_err(|error| StoreError::Broken(error.to_string()))?;
    let record = AuditRecord {
        at,
        actor: Actor::Schedule,
        action: "schedule.passed_over".to_owned(),
        object: schedules::object(seen),
        revision: Some(seen.revision),
        payload,
    };
    audit::append(connection, &record).map(drop)
}
