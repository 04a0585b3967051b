//! Pauses, and the failures in a row that may lead to one.

use crate::audit;
use crate::column::{from_json, parsed, to_json};
use crate::fault::Outcome;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::{FailuresInARow, Pause, PauseScope};
use sopwith_core::run::{Run, RunState};

/// Keeps a pause; false where there is one of that scope.
pub(crate) fn add(connection: &Connection, pause: &Pause) -> Outcome<bool> {
    let (procedure, action) = key(&pause.scope);
    let added = connection
        .prepare_cached(
            "INSERT INTO pause (procedure, action, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((procedure, action, to_json(pause)?))?;
    if added == 1 {
        let payload = json!({ "reason": pause.reason });
        tell(
            connection,
            &pause.scope,
            "schedule.paused",
            &pause.by,
            pause.since,
            payload,
        )?;
    }
    Ok(added == 1)
}

/// Ends the pauses that this scope contains; that of the host alone where it is the host.
pub(crate) fn end(
    connection: &Connection,
    scope: &PauseScope,
    by: &Actor,
    at: Timestamp,
) -> Outcome<Vec<Pause>> {
    let mut ended = all(connection)?;
    ended
        .retain(|pause| pause.scope == *scope || (scope.procedure.is_some() && scope.contains(&pause.scope)));
    for pause in &ended {
        connection
            .prepare_cached("DELETE FROM pause WHERE procedure = ?1 AND action = ?2")?
            .execute(key(&pause.scope))?;
        let payload = json!({ "since": pause.since });
        tell(connection, &pause.scope, "schedule.resumed", by, at, payload)?;
    }
    if let Some(procedure) = &scope.procedure {
        let action = scope.action.as_ref().map(ActionName::as_str);
        connection
            .prepare_cached("DELETE FROM failures WHERE procedure = ?1 AND action = coalesce(?2, action)")?
            .execute((procedure.as_str(), action))?;
    }
    Ok(ended)
}

/// All pauses.
pub(crate) fn all(connection: &Connection) -> Outcome<Vec<Pause>> {
    let mut select = connection.prepare_cached("SELECT body FROM pause ORDER BY procedure, action")?;
    let mut rows = select.query([])?;
    let mut pauses = Vec::new();
    while let Some(row) = rows.next()? {
        pauses.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(pauses)
}

/// Whether ticks of this action are held off.
pub(crate) fn hold_off(
    connection: &Connection,
    procedure: &ProcedureName,
    action: &ActionName,
) -> Outcome<bool> {
    let mut select = connection
        .prepare_cached("SELECT 1 FROM pause WHERE procedure IN ('', ?1) AND action IN ('', ?2)")?;
    Ok(select.exists((procedure.as_str(), action.as_str()))?)
}

/// Counts the end of a run, not a dry one.
pub(crate) fn count(connection: &Connection, run: &Run) -> Outcome<()> {
    let key = (run.queued.procedure.as_str(), run.queued.action.as_str());
    match run.state {
        RunState::Succeeded => {
            connection
                .prepare_cached("DELETE FROM failures WHERE procedure = ?1 AND action = ?2")?
                .execute(key)?;
        }
        RunState::Failed | RunState::TimedOut | RunState::Lost => {
            connection
                .prepare_cached(
                    "INSERT INTO failures (procedure, action, in_a_row) VALUES (?1, ?2, 1)
                     ON CONFLICT DO UPDATE SET in_a_row = in_a_row + 1",
                )?
                .execute(key)?;
        }
        _ => {}
    }
    Ok(())
}

/// All actions whose newest run failed.
pub(crate) fn failures(connection: &Connection) -> Outcome<Vec<FailuresInARow>> {
    let mut select = connection
        .prepare_cached("SELECT procedure, action, in_a_row FROM failures ORDER BY procedure, action")?;
    let mut rows = select.query([])?;
    let mut failures = Vec::new();
    while let Some(row) = rows.next()? {
        failures.push(FailuresInARow {
            procedure: parsed(&row.get::<_, String>(0)?)?,
            action: parsed(&row.get::<_, String>(1)?)?,
            count: row.get(2)?,
        });
    }
    Ok(failures)
}

fn key(scope: &PauseScope) -> (&str, &str) {
    let procedure = scope.procedure.as_ref().map_or("", ProcedureName::as_str);
    let action = scope.action.as_ref().map_or("", ActionName::as_str);
    (procedure, action)
}

fn tell(
    connection: &Connection,
    scope: &PauseScope,
    action: &str,
    actor: &Actor,
    at: Timestamp,
    payload: serde_json::Value,
) -> Outcome<()> {
    let object = match key(scope) {
        ("", _) => "host".to_owned(),
        (procedure, "") => format!("procedure:{procedure}"),
        (procedure, action) => format!("procedure:{procedure}/{action}"),
    };
    let record = AuditRecord {
        at,
        actor: actor.clone(),
        action: action.to_owned(),
        object,
        revision: None,
        payload,
    };
    audit::append(connection, &record).map(drop)
}
