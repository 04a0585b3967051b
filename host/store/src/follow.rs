//! Schedules that follow on runs of other procedures, and what they owe.
//!
//! The end of a run and what is owed for it are one transaction, and so are a run that follows and the debt that it
//! settles: whatever happens in between, each end is answered once.

use crate::column::{instant, parsed};
use crate::fault::Outcome;
use crate::overlap::{self, Decided};
use crate::{audit, claims, pauses, schedules, ticks};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::name::{ProcedureName, ScheduleName};
use sopwith_core::port::{Follower, NoRun, Owed, ScheduleRow, Start, Started, StoreError, TickRange};
use sopwith_core::run::{Queued, Run};

/// Takes over which schedules follow on what.
pub(crate) fn set(connection: &Connection, followers: &[Follower]) -> Outcome<()> {
    connection.execute("DELETE FROM follower", [])?;
    for follower in followers {
        connection
            .prepare_cached(
                "INSERT INTO follower (procedure, schedule, of_procedure, of_action, passed)
                 VALUES (:procedure, :schedule, :of_procedure, :of_action, :passed)",
            )?
            .execute(named_params! {
                ":procedure": follower.procedure.as_str(),
                ":schedule": follower.schedule.as_str(),
                ":of_procedure": follower.of_procedure.as_str(),
                ":of_action": follower.of_action.as_str(),
                ":passed": follower.passed,
            })?;
    }
    Ok(())
}

/// Notes what is owed for the end of a run, not a dry one.
pub(crate) fn owe(connection: &Connection, run: &Run) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO owed (procedure, schedule, run)
             SELECT procedure, schedule, :run FROM follower
             WHERE of_procedure = :procedure AND of_action = :action AND coalesce(passed, :passed) = :passed",
        )?
        .execute(named_params! {
            ":run": run.id().to_string(),
            ":procedure": run.queued.procedure.as_str(),
            ":action": run.queued.action.as_str(),
            ":passed": run.passed(),
        })?;
    Ok(())
}

/// All that is owed, in the order in which the runs were queued.
pub(crate) fn owed(connection: &Connection) -> Outcome<Vec<Owed>> {
    let mut select = connection
        .prepare_cached("SELECT procedure, schedule, run FROM owed ORDER BY run, procedure, schedule")?;
    let mut rows = select.query([])?;
    let mut owed = Vec::new();
    while let Some(row) = rows.next()? {
        owed.push(Owed {
            procedure: parsed(&row.get::<_, String>(0)?)?,
            schedule: parsed(&row.get::<_, String>(1)?)?,
            run: parsed(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(owed)
}

/// Settles a debt; false where it is settled already.
pub(crate) fn settle(connection: &Connection, owed: &Owed) -> Outcome<bool> {
    let settled = connection
        .prepare_cached("DELETE FROM owed WHERE procedure = ?1 AND schedule = ?2 AND run = ?3")?
        .execute((
            owed.procedure.as_str(),
            owed.schedule.as_str(),
            owed.run.to_string(),
        ))?;
    Ok(settled == 1)
}

/// Queues the run of something that is no tick, or keeps why there is none.
pub(crate) fn start(connection: &Connection, start: Start) -> Outcome<Started> {
    let Start {
        mut queued,
        owed,
        overlap,
        skip,
        at,
    } = start;
    if let Some(owed) = &owed
        && !settle(connection, owed)?
    {
        return Ok(Started::Settled);
    }
    let row = row(connection, &queued)?;
    let nominal_at = free_instant(connection, &row, &queued)?;
    queued.trigger.set_nominal_at(nominal_at);
    let is_paused = pauses::hold_off(connection, &queued.procedure, &queued.action)?;
    let skip = if is_paused { Some(NoRun::Paused) } else { skip };
    schedules::advance(connection, &row, nominal_at)?;
    let reason = match skip {
        Some(reason) => reason,
        None => match overlap::decide(connection, vec![queued], overlap, at)? {
            Decided::Start { mut runs, replaced } => {
                let run = runs
                    .pop()
                    .ok_or_else(|| StoreError::Broken("a run was not queued".to_owned()))?;
                let run = Box::new(run);
                return Ok(Started::Run { run, replaced });
            }
            Decided::Skip(_) => NoRun::Overlap,
        },
    };
    let range = TickRange {
        first: nominal_at,
        last: nominal_at,
        count: 1,
        reason,
    };
    ticks::add_range(connection, &row, &range, row.cursor, nominal_at)?;
    claims::tell(connection, &row, &range, at)?;
    Ok(Started::Skipped(reason))
}

/// The row of the schedule; where no host has taken it over yet, what it would be.
fn row(connection: &Connection, queued: &Queued) -> Outcome<ScheduleRow> {
    let schedule = queued.trigger.schedule();
    let schedule =
        schedule.ok_or_else(|| StoreError::Broken(format!("run `{}` names no schedule", queued.id)))?;
    let known = schedules::all(connection)?;
    let known = known
        .into_iter()
        .find(|row| (&row.procedure, &row.schedule) == (&queued.procedure, schedule));
    Ok(known.unwrap_or_else(|| ScheduleRow {
        procedure: queued.procedure.clone(),
        schedule: schedule.clone(),
        revision: queued.revision,
        cursor: queued.queued_at,
    }))
}

/// Two may be called for in one instant, and each has a row of its own.
fn free_instant(connection: &Connection, row: &ScheduleRow, queued: &Queued) -> Outcome<Timestamp> {
    let mut at = queued.trigger.nominal_at().unwrap_or(queued.queued_at);
    while ticks::has_run(connection, row, at)? || has_range(connection, &row.procedure, &row.schedule, at)? {
        at = at
            .checked_add(SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MAX);
    }
    Ok(at)
}

fn has_range(
    connection: &Connection,
    procedure: &ProcedureName,
    schedule: &ScheduleName,
    at: Timestamp,
) -> Outcome<bool> {
    let mut select = connection.prepare_cached(
        "SELECT last FROM tick_range WHERE procedure = ?1 AND schedule = ?2 AND first <= ?3
         ORDER BY first DESC LIMIT 1",
    )?;
    let at = instant(at);
    let last: Option<String> = select
        .query_row((procedure.as_str(), schedule.as_str(), &at), |row| row.get(0))
        .optional()?;
    Ok(last.is_some_and(|last| last >= at))
}

/// Forgets a debt of a schedule that is gone.
pub(crate) fn forget(connection: &Connection, owed: &Owed, at: Timestamp) -> Outcome<()> {
    if !settle(connection, owed)? {
        return Ok(());
    }
    let record = AuditRecord {
        at,
        actor: Actor::Host,
        action: "schedule.forgotten".to_owned(),
        object: format!("schedule:{}/{}", owed.procedure, owed.schedule),
        revision: None,
        payload: serde_json::json!({ "after": owed.run }),
    };
    audit::append(connection, &record).map(drop)
}
