//! Findings: open from the run that added them first to the one that resolved them.

use crate::column::{from_json, instant, parsed, to_json};
use crate::fault::Outcome;
use crate::journal;
use jiff::Timestamp;
use rusqlite::{Connection, named_params};
use sopwith_core::journal::Note;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::capabilities::{Finding, OpenFinding};
use sopwith_core::run::Run;

/// How many open findings one call gives.
const OPEN_MAX: u32 = 10_000;
/// How many bytes of them, beyond the first.
const OPEN_BYTES_MAX: usize = 8 << 20;

/// Takes over what a run that has ended left in its record, whichever of its attempts did.
///
/// A later attempt is given the finished steps of an earlier one and does not add their findings
/// again, so all attempts count alike.
pub(crate) fn take_over(connection: &Connection, run: &Run) -> Outcome<()> {
    journal::each_note(connection, run.id(), "finding", |entry| match &entry.note {
        Note::Finding(finding) => add(connection, run, finding, entry.at),
        _ => Ok(()),
    })?;
    journal::each_note(connection, run.id(), "checked", |entry| match &entry.note {
        Note::Checked { check, .. } => resolve(connection, run, check),
        _ => Ok(()),
    })
}

/// A run counts once, however often it adds the finding.
fn add(connection: &Connection, run: &Run, finding: &Finding, at: Timestamp) -> Outcome<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO finding (procedure, check_id, subject, first_seen_at, times_seen, first_run, last_run, body)
         VALUES (:procedure, :check_id, :subject, :at, 1, :run, :run, :body)
         ON CONFLICT (procedure, check_id, subject) WHERE resolved_by IS NULL
         DO UPDATE SET times_seen = times_seen + (last_run <> excluded.last_run),
                       last_run = excluded.last_run, body = excluded.body",
    )?;
    insert.execute(named_params! {
        ":procedure": run.queued.procedure.as_str(),
        ":check_id": finding.check,
        ":subject": finding.subject,
        ":at": instant(at),
        ":run": run.id().to_string(),
        ":body": to_json(finding)?,
    })?;
    Ok(())
}

/// Resolves what a check that was carried out to its end did not find again.
fn resolve(connection: &Connection, run: &Run, check: &str) -> Outcome<()> {
    let mut update = connection.prepare_cached(
        "UPDATE finding SET resolved_by = :run
         WHERE procedure = :procedure AND check_id = :check_id AND resolved_by IS NULL AND last_run <> :run",
    )?;
    update.execute(named_params! {
        ":procedure": run.queued.procedure.as_str(),
        ":check_id": check,
        ":run": run.id().to_string(),
    })?;
    Ok(())
}

/// The findings that stand open for a procedure, of one check or of all, the oldest first.
pub(crate) fn open(
    connection: &Connection,
    procedure: &ProcedureName,
    check: Option<&str>,
) -> Outcome<Vec<OpenFinding>> {
    let mut select = connection.prepare_cached(
        "SELECT body, first_seen_at, times_seen FROM finding
         WHERE procedure = ?1 AND resolved_by IS NULL AND (?2 IS NULL OR check_id = ?2)
         ORDER BY first_seen_at, check_id, subject LIMIT ?3",
    )?;
    let mut rows = select.query((procedure.as_str(), check, OPEN_MAX))?;
    let mut findings = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        bytes += body.len();
        if bytes > OPEN_BYTES_MAX && !findings.is_empty() {
            break;
        }
        findings.push(OpenFinding {
            finding: from_json(&body)?,
            first_seen_at: parsed(&row.get::<_, String>(1)?)?,
            times_seen: row.get(2)?,
        });
    }
    Ok(findings)
}

/// How many findings stand open for a procedure.
pub(crate) fn count(connection: &Connection, procedure: &ProcedureName) -> Outcome<u64> {
    let mut select = connection
        .prepare_cached("SELECT count(*) FROM finding WHERE procedure = ?1 AND resolved_by IS NULL")?;
    Ok(select.query_row([procedure.as_str()], |row| row.get(0))?)
}
