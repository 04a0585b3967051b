//! What ticks came to: runs, and ranges of ticks without runs.

use crate::column::{instant, parsed, unreadable};
use crate::fault::Outcome;
use crate::reader::Page;
use crate::runs;
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};
use sopwith_core::name::{ProcedureName, ScheduleName};
use sopwith_core::port::{NoRun, ScheduleRow, TickOutcome, TickRange};

/// How many runs and ranges one call gives.
const OUTCOMES_MAX: u32 = 1_000;

/// Keeps a range. Where the last claim ended with one of the same reason, that one is prolonged.
///
/// `after` is the cursor that the range follows on, and `covered_to` the one that it brings about.
pub(crate) fn add_range(
    connection: &Connection,
    row: &ScheduleRow,
    range: &TickRange,
    after: Timestamp,
    covered_to: Timestamp,
) -> Outcome<()> {
    let parameters = named_params! {
        ":procedure": row.procedure.as_str(),
        ":schedule": row.schedule.as_str(),
        ":first": instant(range.first),
        ":last": instant(range.last),
        ":count": range.count,
        ":reason": word(range.reason)?,
        ":after": instant(after),
        ":covered_to": instant(covered_to),
    };
    let prolonged = connection
        .prepare_cached(
            "UPDATE tick_range SET last = :last, count = count + :count, covered_to = :covered_to
             WHERE procedure = :procedure AND schedule = :schedule AND reason = :reason AND covered_to = :after
                 AND first < :first
                 AND first = (SELECT max(first) FROM tick_range
                              WHERE procedure = :procedure AND schedule = :schedule)",
        )?
        .execute(parameters)?;
    if prolonged == 0 {
        insert_range(connection, row, range, covered_to)?;
    }
    Ok(())
}

/// A clock that was turned back may bring a tick again; its older row then stands for both.
fn insert_range(
    connection: &Connection,
    row: &ScheduleRow,
    range: &TickRange,
    covered_to: Timestamp,
) -> Outcome<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO tick_range (procedure, schedule, first, last, count, reason, covered_to)
         VALUES (:procedure, :schedule, :first, :last, :count, :reason, :covered_to)
         ON CONFLICT DO UPDATE SET last = max(last, excluded.last), count = max(count, excluded.count),
             covered_to = max(covered_to, excluded.covered_to)",
    )?;
    insert.execute(named_params! {
        ":procedure": row.procedure.as_str(),
        ":schedule": row.schedule.as_str(),
        ":first": instant(range.first),
        ":last": instant(range.last),
        ":count": range.count,
        ":reason": word(range.reason)?,
        ":covered_to": instant(covered_to),
    })?;
    Ok(())
}

/// What the ticks of a schedule came to that lie in this range, oldest first.
pub(crate) fn ticks(
    connection: &Connection,
    procedure: &ProcedureName,
    schedule: &ScheduleName,
    from: Timestamp,
    to: Timestamp,
) -> Outcome<Vec<TickOutcome>> {
    // The newest range that begins before `from` may reach into it; those before that one do not.
    let mut select = connection.prepare_cached(
        "SELECT id, nominal_at AS first, NULL, NULL, NULL FROM run
         WHERE procedure = :procedure AND schedule = :schedule AND nominal_at BETWEEN :from AND :to
         UNION ALL
         SELECT NULL, first, last, count, reason FROM tick_range
         WHERE procedure = :procedure AND schedule = :schedule AND first <= :to AND last >= :from
             AND first >= coalesce((SELECT max(first) FROM tick_range
                                    WHERE procedure = :procedure AND schedule = :schedule AND first <= :from), '')
         ORDER BY first LIMIT :limit",
    )?;
    let mut rows = select.query(named_params! {
        ":procedure": procedure.as_str(),
        ":schedule": schedule.as_str(),
        ":from": instant(from),
        ":to": instant(to),
        ":limit": OUTCOMES_MAX,
    })?;
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        let (outcome, bytes) = outcome(connection, row)?;
        if !page.takes(outcome, bytes) {
            break;
        }
    }
    Ok(page.rows)
}

fn outcome(connection: &Connection, row: &Row<'_>) -> Outcome<(TickOutcome, usize)> {
    if let Some(id) = row.get::<_, Option<String>>(0)? {
        let run = runs::find_sized(connection, parsed(&id)?)?;
        let (run, size) = run.ok_or_else(|| unreadable::<TickOutcome>(&"a run of a tick is gone"))?;
        return Ok((TickOutcome::Run(Box::new(run)), size));
    }
    let range = TickRange {
        first: parsed(&row.get::<_, String>(1)?)?,
        last: parsed(&row.get::<_, String>(2)?)?,
        count: row.get(3)?,
        reason: reason(row.get(4)?)?,
    };
    Ok((TickOutcome::Range(range), 0))
}

/// Whether a tick has a run already.
pub(crate) fn has_run(connection: &Connection, row: &ScheduleRow, nominal_at: Timestamp) -> Outcome<bool> {
    let mut select = connection
        .prepare_cached("SELECT 1 FROM run WHERE procedure = ?1 AND schedule = ?2 AND nominal_at = ?3")?;
    let tick = (row.procedure.as_str(), row.schedule.as_str(), instant(nominal_at));
    Ok(select.exists(tick)?)
}

fn word(reason: NoRun) -> Outcome<String> {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(unreadable::<NoRun>(&format!("{other:?} is no word"))),
    }
}

fn reason(word: String) -> Outcome<NoRun> {
    serde_json::from_value(word.into()).map_err(|error| unreadable::<NoRun>(&error))
}
