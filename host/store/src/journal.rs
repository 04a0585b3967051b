//! What runs leave behind while they are under way: lines of the record, and evidence.

use crate::column::{from_json, to_json};
use crate::fault::Outcome;
use crate::grants::Fact;
use crate::reader::Page;
use crate::runs;
use rusqlite::Connection;
use sopwith_core::attempt::FinishedSteps;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::Attachment;
use sopwith_core::run::RunId;

/// How many lines one call gives.
const LINES_MAX: u32 = 10_000;

/// A line of the record as it is written.
pub(crate) struct Line {
    kind: Option<&'static str>,
    body: String,
    of_grants: Option<Fact>,
}

impl Line {
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// Prepares entries, apart from the thread that writes.
pub(crate) fn lines(entries: &[JournalEntry]) -> Outcome<Vec<Line>> {
    entries
        .iter()
        .map(|entry| {
            let kind = kind(&entry.note);
            Ok(Line {
                kind,
                body: to_json(entry)?,
                of_grants: Fact::of(entry),
            })
        })
        .collect()
}

/// The kinds of notes that are asked for by kind.
fn kind(note: &Note) -> Option<&'static str> {
    match note {
        Note::StepFinished { .. } | Note::StepSkipped { .. } => Some("step"),
        Note::Finding(_) => Some("finding"),
        Note::Checked { .. } => Some("checked"),
        _ => None,
    }
}

/// Adds to the record of a run.
pub(crate) fn append(connection: &Connection, run: RunId, lines: &[Line]) -> Outcome<()> {
    runs::must_exist(connection, run)?;
    let id = run.to_string();
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM journal WHERE run = ?1")?
        .query_row([&id], |row| row.get(0))?;
    let mut insert =
        connection.prepare_cached("INSERT INTO journal (run, number, kind, body) VALUES (?1, ?2, ?3, ?4)")?;
    for (number, line) in (newest.unwrap_or(0) + 1..).zip(lines) {
        insert.execute((&id, number, line.kind, &line.body))?;
        if let Some(fact) = &line.of_grants {
            fact.add(connection, run)?;
        }
    }
    Ok(())
}

/// The record of a run after the entry of this number.
pub(crate) fn read(
    connection: &Connection,
    run: RunId,
    after: u64,
    limit: u32,
) -> Outcome<Vec<(u64, JournalEntry)>> {
    let mut select = connection.prepare_cached(
        "SELECT number, body FROM journal WHERE run = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    // No line has a number beyond what the database can count.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = select.query((run.to_string(), after, limit.min(LINES_MAX)))?;
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        if !page.takes((row.get(0)?, from_json(&body)?), body.len()) {
            break;
        }
    }
    Ok(page.rows)
}

/// The output of each step that finished, as it was written; `null` for one that was skipped.
pub(crate) fn finished_steps(connection: &Connection, run: RunId) -> Outcome<FinishedSteps> {
    let mut select = connection.prepare_cached(
        "SELECT body ->> '$.name', coalesce(body -> '$.output', 'null')
         FROM journal INDEXED BY journal_by_kind WHERE run = ?1 AND kind = 'step' ORDER BY number",
    )?;
    let steps = select.query_map([run.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(steps.collect::<Result<_, _>>()?)
}

/// Takes the notes of one kind in the record of a run one by one, in order.
pub(crate) fn each_note(
    connection: &Connection,
    run: RunId,
    kind: &str,
    mut take: impl FnMut(JournalEntry) -> Outcome<()>,
) -> Outcome<()> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM journal INDEXED BY journal_by_kind WHERE run = ?1 AND kind = ?2 ORDER BY number",
    )?;
    let mut rows = select.query((run.to_string(), kind))?;
    while let Some(row) = rows.next()? {
        take(from_json(&row.get::<_, String>(0)?)?)?;
    }
    Ok(())
}

/// Keeps a piece of evidence, in the place of an older one of that name.
pub(crate) fn attach(
    connection: &Connection,
    run: RunId,
    attachment: &Attachment,
    line: &[Line],
) -> Outcome<()> {
    append(connection, run, line)?;
    connection
        .prepare_cached(
            "INSERT INTO attachment (run, name, media_type, content) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET media_type = excluded.media_type, content = excluded.content",
        )?
        .execute((
            run.to_string(),
            &attachment.name,
            &attachment.media_type,
            &attachment.content,
        ))?;
    Ok(())
}

/// The evidence of a run.
pub(crate) fn attachments(connection: &Connection, run: RunId) -> Outcome<Vec<Attachment>> {
    let mut select = connection
        .prepare_cached("SELECT name, media_type, content FROM attachment WHERE run = ?1 ORDER BY name")?;
    let attachments = select.query_map([run.to_string()], |row| {
        Ok(Attachment {
            name: row.get(0)?,
            media_type: row.get(1)?,
            content: row.get(2)?,
        })
    })?;
    Ok(attachments.collect::<Result<_, _>>()?)
}
