//! How grants were used over all recorded runs, and what was denied: kept as sums, so that a question
//! about a year of runs reads a few rows.

use crate::column::{from_json, instant, parsed, to_json};
use crate::fault::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, named_params};
use sopwith_core::grant::{Denial, GrantUse};
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{GrantHistory, RecordedDenial, RecordedUse};
use sopwith_core::run::RunId;

/// Different things that were denied to one procedure and are kept; a plugin can make up names.
const DENIALS_MAX: u32 = 1_000;

/// What a line of the record says of grants.
pub(crate) enum Fact {
    Used(Timestamp, Vec<GrantUse>),
    Denied(Timestamp, Denial),
}

impl Fact {
    /// What this entry says of grants, if anything.
    pub(crate) fn of(entry: &JournalEntry) -> Option<Self> {
        match &entry.note {
            Note::Used { uses } => Some(Self::Used(entry.at, uses.clone())),
            Note::Denied(denial) => Some(Self::Denied(entry.at, denial.clone())),
            _ => None,
        }
    }

    /// Adds it to the sums of the run's procedure and action.
    pub(crate) fn add(&self, connection: &Connection, run: RunId) -> Outcome<()> {
        match self {
            Self::Used(at, uses) => uses
                .iter()
                .try_for_each(|used| add_use(connection, run, *at, used)),
            Self::Denied(at, denial) => add_denial(connection, run, *at, denial),
        }
    }
}

fn add_use(connection: &Connection, run: RunId, at: Timestamp, used: &GrantUse) -> Outcome<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO grant_use (procedure, action, kind, name, access, call, times, last_at, last_run)
         SELECT procedure, action, :kind, :name, :access, :call, :times, :at, id FROM run WHERE id = :run
         ON CONFLICT DO UPDATE
         SET times = times + excluded.times, last_at = excluded.last_at, last_run = excluded.last_run",
    )?;
    insert.execute(named_params! {
        ":kind": to_json(&used.kind)?,
        ":name": used.name.as_str(),
        ":access": used.access.to_string(),
        ":call": used.call,
        ":times": i64::try_from(used.times).unwrap_or(i64::MAX),
        ":at": instant(at),
        ":run": run.to_string(),
    })?;
    Ok(())
}

fn add_denial(connection: &Connection, run: RunId, at: Timestamp, denial: &Denial) -> Outcome<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO denial (procedure, action, wanted, times, last_at, last_run, body)
         SELECT procedure, action, :wanted, 1, :at, id, :body FROM run
         WHERE id = :run AND (
             (SELECT count(*) FROM denial WHERE denial.procedure = run.procedure) < :max
             OR EXISTS (SELECT 1 FROM denial WHERE denial.procedure = run.procedure
                        AND denial.action = run.action AND wanted = :wanted))
         ON CONFLICT DO UPDATE
         SET times = times + 1, last_at = excluded.last_at, last_run = excluded.last_run, body = excluded.body",
    )?;
    insert.execute(named_params! {
        ":wanted": denial.wanted.to_string(),
        ":at": instant(at),
        ":body": to_json(denial)?,
        ":max": DENIALS_MAX,
        ":run": run.to_string(),
    })?;
    Ok(())
}

/// How the grants of a procedure were used, and what was denied to it.
pub(crate) fn history(connection: &Connection, procedure: &ProcedureName) -> Outcome<GrantHistory> {
    Ok(GrantHistory {
        since: since(connection, procedure)?,
        uses: uses(connection, procedure)?,
        denials: denials(connection, procedure)?,
    })
}

fn since(connection: &Connection, procedure: &ProcedureName) -> Outcome<Option<Timestamp>> {
    let oldest: Option<String> = connection
        .prepare_cached(
            "SELECT min(at) FROM (SELECT min(queued_at) AS at FROM run WHERE procedure = ?1
                                  UNION ALL SELECT since FROM pruned WHERE procedure = ?1)",
        )?
        .query_row([procedure.as_str()], |row| row.get(0))?;
    oldest.map(|at| parsed(&at)).transpose()
}

fn uses(connection: &Connection, procedure: &ProcedureName) -> Outcome<Vec<RecordedUse>> {
    let mut select = connection.prepare_cached(
        "SELECT action, kind, name, access, call, times, last_at, last_run FROM grant_use
         WHERE procedure = ?1 ORDER BY kind, name, access, call, action",
    )?;
    let mut rows = select.query([procedure.as_str()])?;
    let mut uses = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get::<_, String>(column);
        uses.push(RecordedUse {
            action: parsed(&text(0)?)?,
            used: GrantUse {
                kind: from_json(&text(1)?)?,
                name: parsed(&text(2)?)?,
                access: text(3)?.into(),
                call: text(4)?,
                times: row.get(5)?,
            },
            last_at: parsed(&text(6)?)?,
            last_run: parsed(&text(7)?)?,
        });
    }
    Ok(uses)
}

fn denials(connection: &Connection, procedure: &ProcedureName) -> Outcome<Vec<RecordedDenial>> {
    let mut select = connection.prepare_cached(
        "SELECT action, body, times, last_at, last_run FROM denial
         WHERE procedure = ?1 ORDER BY last_at DESC, wanted, action",
    )?;
    let mut rows = select.query([procedure.as_str()])?;
    let mut denials = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get::<_, String>(column);
        denials.push(RecordedDenial {
            action: parsed(&text(0)?)?,
            denial: from_json(&text(1)?)?,
            times: row.get(2)?,
            last_at: parsed(&text(3)?)?,
            last_run: parsed(&text(4)?)?,
        });
    }
    Ok(denials)
}
