//! Claims ticks: cursor, overlap, run, ranges and audit entries in one transaction.

use crate::fault::Outcome;
use crate::{audit, runs, schedules, ticks};
use jiff::Timestamp;
use rusqlite::Connection;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::port::{Claim, Claimed, NoRun, ScheduleRow, StoreError, TickRange};
use sopwith_core::run::{Queued, Run};

/// Claims all ticks up to the cursor of the claim.
pub(crate) fn claim(connection: &Connection, claim: Claim) -> Outcome<Claimed> {
    let Claim {
        seen,
        cursor,
        run: queued,
        mut ranges,
        at,
    } = claim;
    if !schedules::advance(connection, &seen, cursor)? {
        return Ok(Claimed::Refused);
    }
    let run = match queued {
        Some(queued) => run_of_tick(connection, &seen, queued, &mut ranges)?,
        None => None,
    };
    keep_ranges(connection, &seen, ranges, run.as_ref(), cursor, at)?;
    Ok(Claimed::Held(run.map(Box::new)))
}

/// The run of the newest tick; or none, and a range where a run before it has not ended.
fn run_of_tick(
    connection: &Connection,
    seen: &ScheduleRow,
    queued: Queued,
    ranges: &mut Vec<TickRange>,
) -> Outcome<Option<Run>> {
    let Some(nominal_at) = queued.trigger.nominal_at() else {
        let why = format!("run `{}` of a claim names no tick", queued.id);
        return Err(StoreError::Broken(why).into());
    };
    if ticks::has_run(connection, seen, nominal_at)? {
        return Ok(None);
    }
    if runs::is_under_way(connection, &queued.procedure, &queued.action)? {
        ranges.push(TickRange {
            first: nominal_at,
            last: nominal_at,
            count: 1,
            reason: NoRun::Overlap,
        });
        return Ok(None);
    }
    runs::queue(connection, queued).map(Some)
}

fn keep_ranges(
    connection: &Connection,
    seen: &ScheduleRow,
    mut ranges: Vec<TickRange>,
    run: Option<&Run>,
    cursor: Timestamp,
    at: Timestamp,
) -> Outcome<()> {
    ranges.sort_unstable_by_key(|range| range.first);
    let ran_at = run.and_then(|run| run.queued.trigger.nominal_at());
    let mut after = seen.cursor;
    for (position, range) in ranges.iter().enumerate() {
        let is_end = position + 1 == ranges.len() && ran_at.is_none();
        let covered_to = if is_end { cursor } else { range.last };
        ticks::add_range(connection, seen, range, after, covered_to)?;
        tell(connection, seen, range, at)?;
        after = covered_to;
    }
    Ok(())
}

fn tell(connection: &Connection, seen: &ScheduleRow, range: &TickRange, at: Timestamp) -> Outcome<()> {
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
