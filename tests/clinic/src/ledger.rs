//! Double-entry bookkeeping: the debits of each entry equal its credits.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::clock;
use crate::schema::DEFAULT_TENANT;

/// One amount, charged to one account and credited to others.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) patient: i64,
    pub(crate) recorded_by: i64,
    pub(crate) note: String,
    pub(crate) debited: &'static str,
    /// Accounts with what each is credited, in cents; the debit is their sum.
    pub(crate) credits: Vec<(&'static str, i64)>,
}

/// What all journal lines come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// All debits, in cents.
    pub debit_cents: i64,
    /// All credits, in cents.
    pub credit_cents: i64,
    /// How many entries have debits that differ from their credits.
    pub unbalanced_entries: u32,
}

/// Adds up the journal lines of a database.
pub fn balance_of(connection: &Connection) -> rusqlite::Result<Balance> {
    connection.query_row(
        "SELECT coalesce(sum(debit), 0), coalesce(sum(credit), 0), count(*) FILTER (WHERE debit <> credit)
         FROM (SELECT sum(debit_cents) AS debit, sum(credit_cents) AS credit
               FROM journal_lines GROUP BY entry_id)",
        [],
        |row| {
            Ok(Balance {
                debit_cents: row.get(0)?,
                credit_cents: row.get(1)?,
                unbalanced_entries: row.get(2)?,
            })
        },
    )
}

/// Records an entry with its lines.
pub(crate) fn record(connection: &Connection, entry: &Entry, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO journal_entries (tenant_id, patient_id, recorded_by, recorded_at, note)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            DEFAULT_TENANT,
            entry.patient,
            entry.recorded_by,
            clock::text(now),
            entry.note
        ])?;
    let id = connection.last_insert_rowid();
    let total: i64 = entry.credits.iter().map(|(_, cents)| cents).sum();
    insert_line(connection, id, entry.debited, total, 0)?;
    for (account, cents) in &entry.credits {
        insert_line(connection, id, account, 0, *cents)?;
    }
    Ok(())
}

/// Inserts one line, which by itself balances nothing.
pub(crate) fn insert_line(
    connection: &Connection,
    entry: i64,
    account: &str,
    debit_cents: i64,
    credit_cents: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO journal_lines (entry_id, account, debit_cents, credit_cents)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![entry, account, debit_cents, credit_cents])?;
    Ok(())
}
