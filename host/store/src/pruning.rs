//! Takes old history away: few runs at a time, so that no writer waits long.

use crate::audit;
use crate::column::{instant, parsed};
use crate::fault::Outcome;
use crate::runs::UNFINISHED;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{Place, Portion, Pruned};

/// So many runs are looked at in one transaction.
const RUNS_AT_ONCE: usize = 16;
/// So many rows of their records go in one transaction; what is longer goes in several.
const RECORD_ROWS_AT_ONCE: usize = 2_000;
/// So many ranges of ticks go in one transaction.
const RANGES_AT_ONCE: u64 = 200;

/// What goes with a run, each with the column that names it.
pub(crate) const PARTS: [(&str, &str); 4] = [
    ("event", "run"),
    ("journal", "run"),
    ("attachment", "run"),
    ("run_key", "run"),
];

/// The procedures of which there are runs: one step into an index for each.
pub(crate) fn recorded_procedures(connection: &Connection) -> Outcome<Vec<ProcedureName>> {
    let mut select = connection.prepare_cached(
        "WITH RECURSIVE name(it) AS (
             SELECT min(procedure) FROM run
             UNION ALL
             SELECT (SELECT min(procedure) FROM run WHERE procedure > it) FROM name WHERE it IS NOT NULL)
         SELECT it FROM name WHERE it IS NOT NULL",
    )?;
    let mut rows = select.query([])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        names.push(parsed(&row.get::<_, String>(0)?)?);
    }
    Ok(names)
}

/// Where that begins which is kept.
pub(crate) fn kept_from(
    connection: &Connection,
    procedure: &ProcedureName,
    since: jiff::Timestamp,
    runs: u32,
) -> Outcome<Place> {
    let by_age = Place {
        queued_at: since,
        id: None,
    };
    let mut select = connection.prepare_cached(
        "SELECT queued_at, id FROM run WHERE procedure = ?1
         ORDER BY queued_at DESC, id DESC LIMIT 1 OFFSET ?2",
    )?;
    let oldest_kept = (procedure.as_str(), runs.saturating_sub(1));
    let by_count = select.query_row(oldest_kept, |row| Ok((row.get(0)?, row.get(1)?)));
    let by_count: Option<(String, String)> = by_count.optional()?;
    Ok(match by_count {
        Some((queued_at, id)) => by_age.max(place(&queued_at, &id)?),
        None => by_age,
    })
}

/// Takes away what can go of the next few runs of a portion, and of its ranges.
pub(crate) fn prune(connection: &Connection, portion: &Portion) -> Outcome<Pruned> {
    let runs = candidates(connection, portion)?;
    let mut pruned = Pruned::default();
    let mut room = RECORD_ROWS_AT_ONCE;
    let mut gone: Vec<&Candidate> = Vec::new();
    let mut reached = portion.after;
    for run in &runs {
        if !is_needed(connection, portion, run)? {
            if !take_away(connection, run, &mut room)? {
                break;
            }
            gone.push(run);
        }
        reached = Some(run.place);
    }
    pruned.runs = gone.len() as u64;
    pruned.ranges = prune_ranges(connection, portion)?;
    let all_looked_at = reached == runs.last().map(|run| run.place).or(portion.after);
    let is_all = runs.len() < RUNS_AT_ONCE && all_looked_at && pruned.ranges < RANGES_AT_ONCE;
    if !is_all {
        // A long record may not even let the first run go at once.
        pruned.next = reached.or(Some(Place {
            queued_at: jiff::Timestamp::MIN,
            id: None,
        }));
    }
    tell(connection, portion, &gone, &pruned)?;
    Ok(pruned)
}

/// A run that is older than what is kept.
struct Candidate {
    id: String,
    place: Place,
    action: String,
    schedule: Option<String>,
    nominal_at: Option<String>,
    passed_at: Option<String>,
    is_dry: bool,
    is_done_with: bool,
}

fn candidates(connection: &Connection, portion: &Portion) -> Outcome<Vec<Candidate>> {
    // What others still follow on, or may ask for again, is not done with.
    let mut select = connection.prepare_cached(&format!(
        "SELECT id, queued_at, action, schedule, nominal_at, passed_at, dry_run,
             state NOT IN ({UNFINISHED})
             AND NOT EXISTS (SELECT 1 FROM owed WHERE owed.run = run.id)
             AND NOT EXISTS (SELECT 1 FROM run_key JOIN run AS caller ON caller.id = run_key.scope
                             WHERE run_key.run = run.id AND caller.state IN ({UNFINISHED}))
         FROM run
         WHERE procedure = :procedure AND (queued_at, id) > (:after_at, :after)
             AND (queued_at, id) < (:before_at, :before)
         ORDER BY queued_at, id LIMIT :limit"
    ))?;
    let text = |place: Option<Place>| match place {
        Some(Place { queued_at, id }) => (
            instant(queued_at),
            id.map(|id| id.to_string()).unwrap_or_default(),
        ),
        None => Default::default(),
    };
    let (after_at, after) = text(portion.after);
    let (before_at, before) = text(Some(portion.before));
    let mut rows = select.query(named_params! {
        ":procedure": portion.procedure.as_str(),
        ":after_at": after_at,
        ":after": after,
        ":before_at": before_at,
        ":before": before,
        ":limit": RUNS_AT_ONCE,
    })?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        candidates.push(candidate(row)?);
    }
    Ok(candidates)
}

fn candidate(row: &Row<'_>) -> Outcome<Candidate> {
    let id: String = row.get(0)?;
    Ok(Candidate {
        place: place(&row.get::<_, String>(1)?, &id)?,
        id,
        action: row.get(2)?,
        schedule: row.get(3)?,
        nominal_at: row.get(4)?,
        passed_at: row.get(5)?,
        is_dry: row.get(6)?,
        is_done_with: row.get(7)?,
    })
}

fn place(queued_at: &str, id: &str) -> Outcome<Place> {
    Ok(Place {
        queued_at: parsed(queued_at)?,
        id: Some(parsed(id)?),
    })
}

/// Whether a run stays, however old it is. Findings that it resolved are not what keeps it: they go first.
fn is_needed(connection: &Connection, portion: &Portion, run: &Candidate) -> Outcome<bool> {
    if !run.is_done_with {
        return Ok(true);
    }
    let procedure = portion.procedure.as_str();
    let queued_at = instant(run.place.queued_at);
    if !run.is_dry {
        let mut newer = connection.prepare_cached(
            "SELECT 1 FROM run WHERE procedure = ?1 AND action = ?2 AND (queued_at, id) > (?3, ?4)
                 AND dry_run = 0 LIMIT 1",
        )?;
        if !newer.exists((procedure, &run.action, &queued_at, &run.id))? {
            return Ok(true);
        }
    }
    if let Some(passed_at) = &run.passed_at {
        let mut newer = connection.prepare_cached(
            "SELECT 1 FROM run WHERE procedure = ?1 AND action = ?2 AND passed_at > ?3 LIMIT 1",
        )?;
        if !newer.exists((procedure, &run.action, passed_at))? {
            return Ok(true);
        }
    }
    if let (Some(schedule), Some(nominal_at)) = (&run.schedule, &run.nominal_at) {
        let mut newer = connection.prepare_cached(
            "SELECT 1 FROM run WHERE procedure = ?1 AND schedule = ?2 AND nominal_at > ?3 LIMIT 1",
        )?;
        if !newer.exists((procedure, schedule, nominal_at))? {
            return Ok(true);
        }
    }
    let mut found = connection.prepare_cached(
        "SELECT 1 FROM finding WHERE first_run = ?1 AND resolved_by IS NOT ?1
         UNION ALL SELECT 1 FROM finding WHERE last_run = ?1 AND resolved_by IS NOT ?1 LIMIT 1",
    )?;
    Ok(found.exists([&run.id])?)
}

/// Takes a run away with all that belongs to it; false where there is room for a part of its record alone.
fn take_away(connection: &Connection, run: &Candidate, room: &mut usize) -> Outcome<bool> {
    let beginning = connection
        .prepare_cached(
            "DELETE FROM journal WHERE run = ?1 AND number IN
                 (SELECT number FROM journal WHERE run = ?1 ORDER BY number LIMIT ?2)",
        )?
        .execute((&run.id, *room))?;
    *room -= beginning;
    if *room == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached("DELETE FROM finding WHERE resolved_by = ?1")?
        .execute([&run.id])?;
    for (table, column) in PARTS {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?
            .execute([&run.id])?;
    }
    connection
        .prepare_cached("DELETE FROM run WHERE id = ?1")?
        .execute([&run.id])?;
    Ok(true)
}

fn prune_ranges(connection: &Connection, portion: &Portion) -> Outcome<u64> {
    // The newest range of a schedule may be prolonged yet.
    let mut delete = connection.prepare_cached(
        "DELETE FROM tick_range WHERE (procedure, schedule, first) IN (
             SELECT procedure, schedule, first FROM tick_range AS old
             WHERE procedure = ?1 AND last < ?2
                 AND EXISTS (SELECT 1 FROM tick_range AS newer WHERE newer.procedure = old.procedure
                             AND newer.schedule = old.schedule AND newer.first > old.first)
             LIMIT ?3)",
    )?;
    let before = instant(portion.before.queued_at);
    let gone = delete.execute((portion.procedure.as_str(), before, RANGES_AT_ONCE))?;
    Ok(gone as u64)
}

/// Remembers that there was more, and writes it into the audit log.
fn tell(connection: &Connection, portion: &Portion, gone: &[&Candidate], pruned: &Pruned) -> Outcome<()> {
    if pruned.runs == 0 && pruned.ranges == 0 {
        return Ok(());
    }
    let before = instant(portion.before.queued_at);
    let since = gone.first().map(|run| instant(run.place.queued_at));
    let mut upsert = connection.prepare_cached(
        "INSERT INTO pruned (procedure, since, before, runs, ranges)
         VALUES (:procedure, coalesce(:since, :before), :before, :runs, :ranges)
         ON CONFLICT DO UPDATE SET since = min(since, excluded.since), before = max(before, excluded.before),
             runs = runs + excluded.runs, ranges = ranges + excluded.ranges",
    )?;
    upsert.execute(named_params! {
        ":procedure": portion.procedure.as_str(),
        ":since": since,
        ":before": before,
        ":runs": pruned.runs,
        ":ranges": pruned.ranges,
    })?;
    let record = AuditRecord {
        at: portion.now,
        actor: Actor::Host,
        action: "history.pruned".to_owned(),
        object: format!("procedure:{}", portion.procedure),
        revision: None,
        payload: json!({
            "before": before,
            "runs": pruned.runs,
            "ranges": pruned.ranges,
            "first": gone.first().map(|run| &run.id),
            "last": gone.last().map(|run| &run.id),
        }),
    };
    audit::append(connection, &record).map(drop)
}
