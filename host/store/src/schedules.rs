//! The schedules that are in force, and how far their ticks are covered.

use crate::audit;
use crate::column::{instant, parsed};
use crate::fault::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, named_params};
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::digest::Digest;
use sopwith_core::name::{ProcedureName, ScheduleName};
use sopwith_core::port::ScheduleRow;

/// Takes over the schedules of a generation.
pub(crate) fn set(
    connection: &Connection,
    wanted: &[(ProcedureName, ScheduleName, Digest)],
    now: Timestamp,
) -> Outcome<Vec<ScheduleRow>> {
    let known = all(connection)?;
    let is_wanted = |row: &ScheduleRow| {
        let mut wanted = wanted.iter();
        wanted.any(|(procedure, schedule, _)| (procedure, schedule) == (&row.procedure, &row.schedule))
    };
    for row in known.iter().filter(|row| !is_wanted(row)) {
        forget(connection, row, now)?;
    }
    for (procedure, schedule, revision) in wanted {
        let unchanged = known
            .iter()
            .any(|row| (&row.procedure, &row.schedule, &row.revision) == (procedure, schedule, revision));
        if !unchanged {
            let row = ScheduleRow {
                procedure: procedure.clone(),
                schedule: schedule.clone(),
                revision: *revision,
                cursor: now,
            };
            start(connection, &row, now)?;
        }
    }
    all(connection)
}

/// The schedules with their cursors.
pub(crate) fn all(connection: &Connection) -> Outcome<Vec<ScheduleRow>> {
    let mut select = connection.prepare_cached(
        "SELECT procedure, schedule, revision, cursor FROM schedule ORDER BY procedure, schedule",
    )?;
    let mut rows = select.query([])?;
    let mut schedules = Vec::new();
    while let Some(row) = rows.next()? {
        schedules.push(ScheduleRow {
            procedure: parsed(&row.get::<_, String>(0)?)?,
            schedule: parsed(&row.get::<_, String>(1)?)?,
            revision: Digest::from(row.get::<_, [u8; 32]>(2)?),
            cursor: parsed(&row.get::<_, String>(3)?)?,
        });
    }
    Ok(schedules)
}

/// Moves a cursor on, unless the row is another one than the caller saw.
pub(crate) fn advance(connection: &Connection, seen: &ScheduleRow, cursor: Timestamp) -> Outcome<bool> {
    let mut update = connection.prepare_cached(
        "UPDATE schedule SET cursor = :cursor
         WHERE procedure = :procedure AND schedule = :schedule AND cursor = :seen AND revision = :revision",
    )?;
    let changed = update.execute(named_params! {
        ":cursor": instant(cursor),
        ":procedure": seen.procedure.as_str(),
        ":schedule": seen.schedule.as_str(),
        ":seen": instant(seen.cursor),
        ":revision": seen.revision.as_bytes(),
    })?;
    Ok(changed == 1)
}

/// How the audit log calls a schedule.
pub(crate) fn object(row: &ScheduleRow) -> String {
    format!("schedule:{}/{}", row.procedure, row.schedule)
}

fn start(connection: &Connection, row: &ScheduleRow, now: Timestamp) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO schedule (procedure, schedule, revision, cursor)
             VALUES (:procedure, :schedule, :revision, :cursor)
             ON CONFLICT DO UPDATE SET revision = excluded.revision, cursor = excluded.cursor",
        )?
        .execute(named_params! {
            ":procedure": row.procedure.as_str(),
            ":schedule": row.schedule.as_str(),
            ":revision": row.revision.as_bytes(),
            ":cursor": instant(row.cursor),
        })?;
    tell(connection, row, "schedule.started", now)
}

fn forget(connection: &Connection, row: &ScheduleRow, now: Timestamp) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM schedule WHERE procedure = ?1 AND schedule = ?2")?
        .execute((row.procedure.as_str(), row.schedule.as_str()))?;
    tell(connection, row, "schedule.forgotten", now)
}

fn tell(connection: &Connection, row: &ScheduleRow, action: &str, now: Timestamp) -> Outcome<()> {
    let record = AuditRecord {
        at: now,
        actor: Actor::Host,
        action: action.to_owned(),
        object: object(row),
        revision: Some(row.revision),
        payload: json!({ "cursor": row.cursor }),
    };
    audit::append(connection, &record).map(drop)
}
