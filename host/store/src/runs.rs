//! Runs and their events: each change is an event, the run that comes of it, and an audit entry.

use crate::audit;
use crate::column::{from_json, instant, parsed, to_json};
use crate::fault::Outcome;
use crate::{findings, follow, pauses};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use sopwith_core::actor::Actor;
use sopwith_core::name::{ActionName, ProcedureName, ScheduleName};
use sopwith_core::port::StoreError;
use sopwith_core::run::{Queued, Run, RunEvent, RunId, Verdict};

/// The states of runs that have not ended, as a list of SQL.
pub(crate) const UNFINISHED: &str = "'waiting_approval', 'queued', 'running', 'suspended', 'retry_wait'";

/// Makes a run, or finds the one that was asked for under the same key before.
pub(crate) fn queue(connection: &Connection, queued: Queued) -> Outcome<Run> {
    let identity = queued.identity();
    if let Some((scope, key)) = &identity
        && let Some(run) = run_of_key(connection, scope, key)?
    {
        if run.queued.asks_the_same(&queued) {
            return Ok(run);
        }
        let (key, run) = (key.clone(), run.id());
        return Err(StoreError::KeyTaken { key, run }.into());
    }
    let actor = queued.actor.clone();
    let event = RunEvent::Queued(Box::new(queued.clone()));
    let run = Run::begin(queued);
    insert(connection, &run)?;
    if let Some((scope, key)) = identity {
        connection
            .prepare_cached("INSERT INTO run_key (scope, key, run) VALUES (?1, ?2, ?3)")?
            .execute((scope, key, run.id().to_string()))?;
    }
    add_event(connection, &run, &event, &actor)?;
    Ok(run)
}

fn run_of_key(connection: &Connection, scope: &str, key: &str) -> Outcome<Option<Run>> {
    let id: Option<String> = connection
        .prepare_cached("SELECT run FROM run_key WHERE scope = ?1 AND key = ?2")?
        .query_row((scope, key), |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => find(connection, parsed(&id)?),
        None => Ok(None),
    }
}

/// The runs that a run has called, in the order of their ids.
pub(crate) fn called_by(connection: &Connection, caller: RunId) -> Outcome<Vec<Run>> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM run WHERE id IN (SELECT run FROM run_key WHERE scope = ?1) ORDER BY id",
    )?;
    let mut rows = select.query([caller.to_string()])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(runs)
}

/// Changes a run that has seen `epoch` events.
pub(crate) fn apply(
    connection: &Connection,
    id: RunId,
    epoch: u64,
    event: &RunEvent,
    actor: &Actor,
) -> Outcome<Run> {
    let run = find(connection, id)?.ok_or(StoreError::NoRun(id))?;
    if run.epoch != epoch {
        return Err(StoreError::Stale {
            id,
            expected: epoch,
            found: run.epoch,
        }
        .into());
    }
    let run = run.apply(event.clone())?;
    update(connection, &run)?;
    add_event(connection, &run, event, actor)?;
    if run.state.is_final() && run.queued.counts() {
        findings::take_over(connection, &run)?;
        pauses::count(connection, &run)?;
        follow::owe(connection, &run)?;
    }
    Ok(run)
}

/// One run.
pub(crate) fn find(connection: &Connection, id: RunId) -> Outcome<Option<Run>> {
    Ok(find_sized(connection, id)?.map(|(run, _)| run))
}

/// One run, with the bytes of its JSON.
pub(crate) fn find_sized(connection: &Connection, id: RunId) -> Outcome<Option<(Run, usize)>> {
    let body: Option<String> = connection
        .prepare_cached("SELECT body FROM run WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    body.map(|body| Ok((from_json(&body)?, body.len()))).transpose()
}

/// Refuses where there is no such run.
pub(crate) fn must_exist(connection: &Connection, id: RunId) -> Outcome<()> {
    let exists = connection
        .prepare_cached("SELECT 1 FROM run WHERE id = ?1")?
        .exists([id.to_string()])?;
    if exists {
        Ok(())
    } else {
        Err(StoreError::NoRun(id).into())
    }
}

/// The runs of this action, not dry ones, that have not ended.
pub(crate) fn under_way(
    connection: &Connection,
    procedure: &ProcedureName,
    action: &ActionName,
) -> Outcome<Vec<Run>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT body FROM run INDEXED BY run_by_procedure_state
         WHERE procedure = ?1 AND action = ?2 AND dry_run = 0 AND state IN ({UNFINISHED})
         ORDER BY queued_at, id"
    ))?;
    let mut rows = select.query((procedure.as_str(), action.as_str()))?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(runs)
}

/// All events of a run, in order.
pub(crate) fn events(connection: &Connection, id: RunId) -> Outcome<Vec<RunEvent>> {
    let mut select = connection.prepare_cached("SELECT body FROM event WHERE run = ?1 ORDER BY epoch")?;
    let mut rows = select.query([id.to_string()])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(events)
}

fn add_event(connection: &Connection, run: &Run, event: &RunEvent, actor: &Actor) -> Outcome<()> {
    connection
        .prepare_cached("INSERT INTO event (run, epoch, body) VALUES (?1, ?2, ?3)")?
        .execute((run.id().to_string(), run.epoch, to_json(event)?))?;
    audit::append_event(connection, run, event, actor)
}

fn insert(connection: &Connection, run: &Run) -> Outcome<()> {
    let queued = &run.queued;
    let id = queued.id.to_string();
    let schedule = queued.trigger.schedule().map(ScheduleName::as_str);
    let nominal_at = queued.trigger.nominal_at().map(instant);
    let mut insert = connection.prepare_cached(
        "INSERT INTO run (id, id_reversed, procedure, action, schedule, nominal_at, dry_run, state, epoch,
             queued_at, body)
         VALUES (:id, :id_reversed, :procedure, :action, :schedule, :nominal_at, :dry_run, :state, :epoch,
             :queued_at, :body)",
    )?;
    insert.execute(named_params! {
        ":id": id,
        ":id_reversed": id.chars().rev().collect::<String>(),
        ":procedure": queued.procedure.as_str(),
        ":action": queued.action.as_str(),
        ":schedule": schedule,
        ":nominal_at": nominal_at,
        ":dry_run": queued.dry_run,
        ":state": run.state.as_str(),
        ":epoch": run.epoch,
        ":queued_at": instant(queued.queued_at),
        ":body": to_json(run)?,
    })?;
    Ok(())
}

fn update(connection: &Connection, run: &Run) -> Outcome<()> {
    let passed = run.passed() && run.queued.counts();
    let mut update = connection.prepare_cached(
        "UPDATE run SET state = :state, verdict = :verdict, epoch = :epoch, passed_at = :passed_at, body = :body
         WHERE id = :id",
    )?;
    update.execute(named_params! {
        ":id": run.id().to_string(),
        ":state": run.state.as_str(),
        ":verdict": run.verdict().map(Verdict::as_str),
        ":epoch": run.epoch,
        ":passed_at": run.ended_at.filter(|_| passed).map(instant),
        ":body": to_json(run)?,
    })?;
    Ok(())
}
