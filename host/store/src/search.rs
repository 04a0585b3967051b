//! Finds runs. First their ids from an index, then their bodies, so that an answer stays bounded.

use crate::column::{from_json, instant, parsed};
use crate::fault::Outcome;
use crate::reader::Page;
use crate::runs::{self, UNFINISHED};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::RunFilter;
use sopwith_core::run::{Run, RunId, RunState};

/// How many runs one call gives.
const RUNS_MAX: u32 = 1_000;

/// How many runs an abbreviated id may mean before it means none.
const LIKE_MAX: usize = 10;

/// The newest runs that fit, newest first.
pub(crate) fn runs(connection: &Connection, filter: &RunFilter) -> Outcome<Vec<Run>> {
    let limit = filter.limit.unwrap_or(RUNS_MAX).min(RUNS_MAX);
    let mut found = Vec::new();
    // One question for each state, since an index gives the order within one state only.
    if filter.states.is_empty() {
        found = newest(connection, filter, None, limit)?;
    }
    for state in &filter.states {
        found.extend(newest(connection, filter, Some(*state), limit)?);
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    found.truncate(limit as usize);
    load(connection, found.into_iter().map(|(_, id)| id))
}

fn newest(
    connection: &Connection,
    filter: &RunFilter,
    state: Option<RunState>,
    limit: u32,
) -> Outcome<Vec<(String, String)>> {
    let (sql, values) = newest_sql(filter, state, limit);
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The question for the newest runs that fit, and the values in it.
pub(crate) fn newest_sql(filter: &RunFilter, state: Option<RunState>, limit: u32) -> (String, Vec<String>) {
    let conditions = [
        ("procedure = ?", filter.procedure.clone().map(String::from)),
        ("action = ?", filter.action.clone().map(String::from)),
        ("state = ?", state.map(|state| state.as_str().to_owned())),
        (
            "verdict = ?",
            filter.verdict.map(|verdict| verdict.as_str().to_owned()),
        ),
        (
            "dry_run = ?",
            filter.dry_run.map(|dry_run| u8::from(dry_run).to_string()),
        ),
        ("queued_at >= ?", filter.since.map(instant)),
        ("queued_at < ?", filter.until.map(instant)),
    ];
    let (conditions, values): (Vec<_>, Vec<_>) = conditions
        .into_iter()
        .filter_map(|(condition, value)| Some((condition, value?)))
        .unzip();
    let sql = format!(
        "SELECT queued_at, id FROM run {} {} ORDER BY queued_at DESC, id DESC LIMIT {limit}",
        if conditions.is_empty() { "" } else { "WHERE" },
        conditions.join(" AND "),
    );
    (sql, values)
}

/// The newest runs whose ids begin or end with this text.
pub(crate) fn runs_like(connection: &Connection, text: &str) -> Outcome<Vec<Run>> {
    let text = text.to_ascii_lowercase();
    let reversed: String = text.chars().rev().collect();
    let mut ids = beginning_with(connection, "id", &text)?;
    ids.extend(beginning_with(connection, "id_reversed", &reversed)?);
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    ids.truncate(LIKE_MAX);
    load(connection, ids)
}

fn beginning_with(connection: &Connection, column: &str, text: &str) -> Outcome<Vec<String>> {
    // Ids have letters and digits only, and `~` comes after all of them.
    let sql = format!(
        "SELECT id FROM run WHERE {column} >= ?1 AND {column} < ?1 || '~' ORDER BY {column} DESC LIMIT {LIKE_MAX}"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let ids = select.query_map([text], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// All runs that have not ended, oldest first.
pub(crate) fn unfinished(connection: &Connection) -> Outcome<Vec<Run>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT body FROM run WHERE state IN ({UNFINISHED}) ORDER BY queued_at, id"
    ))?;
    let mut rows = select.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(from_json(
            row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
        )?);
    }
    Ok(runs)
}

/// The end of the newest run of this action, not a dry one, that passed.
pub(crate) fn previous_success(
    connection: &Connection,
    procedure: &ProcedureName,
    action: &ActionName,
) -> Outcome<Option<Timestamp>> {
    let mut select = connection.prepare_cached(
        "SELECT max(passed_at) FROM run WHERE procedure = ?1 AND action = ?2 AND passed_at IS NOT NULL",
    )?;
    let at: Option<String> = select.query_row((procedure.as_str(), action.as_str()), |row| row.get(0))?;
    at.as_deref().map(parsed).transpose()
}

/// The newest run of this action, not a dry one, that passed.
pub(crate) fn last_passed(
    connection: &Connection,
    procedure: &ProcedureName,
    action: &ActionName,
) -> Outcome<Option<Run>> {
    let mut select = connection.prepare_cached(
        "SELECT id FROM run WHERE procedure = ?1 AND action = ?2 AND passed_at IS NOT NULL
         ORDER BY passed_at DESC LIMIT 1",
    )?;
    let id: Option<String> = select
        .query_row((procedure.as_str(), action.as_str()), |row| row.get(0))
        .optional()?;
    Ok(load(connection, id)?.into_iter().next())
}

/// The runs with these ids, in this order.
fn load(connection: &Connection, ids: impl IntoIterator<Item = String>) -> Outcome<Vec<Run>> {
    let mut loaded = Page::default();
    for id in ids {
        let id: RunId = parsed(&id)?;
        if let Some((run, bytes)) = runs::find_sized(connection, id)?
            && !loaded.takes(run, bytes)
        {
            break;
        }
    }
    Ok(loaded.rows)
}
