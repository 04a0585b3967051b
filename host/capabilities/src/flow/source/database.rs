//! A consistent snapshot of an SQLite database, taken while others write.
//!
//! All pages are read in one read transaction through the virtual table `sqlite_dbpage`, so the
//! write-ahead log is in it and no writer makes it begin anew, as small steps of the backup
//! interface would.

use super::{Halt, Outlet, Produce, Produced};
use crate::databases::DatabaseFile;
use crate::scratch::with_suffix;
use crate::sql::{database_failure, open_for_host, schema};
use crate::stop::Watch;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Writers wait for as long as a database in rollback-journal mode is read.
const WRITERS_WAIT_MAX: Duration = Duration::from_mins(1);
/// Where the header says for reading and for writing whether there is a write-ahead log.
const FORMAT_VERSIONS: std::ops::Range<usize> = 18..20;
/// The value that says that there is none.
const ROLLBACK_JOURNAL: u8 = 1;

/// A database that may be read.
pub(super) struct DatabaseSource {
    file: DatabaseFile,
    bytes: u64,
}

impl DatabaseSource {
    pub(super) fn open(file: DatabaseFile) -> Answer<Self> {
        let log = std::fs::metadata(with_suffix(&file.path, "-wal")).map_or(0, |metadata| metadata.len());
        Ok(Self {
            bytes: file.check_file()?.max(log),
            file,
        })
    }

    fn failure(&self, error: &rusqlite::Error, watch: &Watch, waits: bool) -> Failure {
        match watch.check() {
            Err(failure) if waits && failure.kind == FailureKind::Timeout => failure.hint(
                "writers wait while a database in rollback-journal mode is read: switch it to WAL mode",
            ),
            Err(failure) => failure,
            Ok(()) => database_failure(error, &self.file.name),
        }
    }
}

impl Produce for DatabaseSource {
    fn size(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        let watch = Arc::clone(outlet.watch());
        let failed = |error| Halt::Failed(self.failure(&error, &watch, false));
        let connection = open_for_host(&self.file.path, &watch).map_err(failed)?;
        let journal = begin(&connection).map_err(failed)?;
        let waits = journal != "wal";
        let mut produced = Produced::default();
        if waits {
            watch.allot(Some(WRITERS_WAIT_MAX));
            produced.warnings.push(format!(
                "while it is copied writers of `{}` wait: it is in rollback-journal mode; WAL mode avoids it",
                self.file.name
            ));
        }
        let failed = |error| Halt::Failed(self.failure(&error, &watch, waits));
        stream(&connection, outlet, failed)?;
        let (rows, schema) = (
            count(&connection).map_err(failed)?,
            schema::read(&connection).map_err(failed)?,
        );
        watch.allot(None);
        let rows = serde_json::to_string(&rows).unwrap_or_default();
        produced.extra.push(("rows".to_owned(), rows));
        produced
            .extra
            .push(("schema-digest".to_owned(), Digest::of(schema).to_string()));
        Ok(produced)
    }
}

/// Begins the transaction; the first read is what takes the snapshot.
fn begin(connection: &Connection) -> rusqlite::Result<String> {
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

fn stream(
    connection: &Connection,
    outlet: &mut Outlet,
    failed: impl Fn(rusqlite::Error) -> Halt + Copy,
) -> Result<(), Halt> {
    let mut pages = connection
        .prepare("SELECT data FROM sqlite_dbpage ORDER BY pgno")
        .map_err(failed)?;
    let mut rows = pages.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let ValueRef::Blob(page) = row.get_ref(0).map_err(failed)? else {
            return Err(Halt::Failed(Failure::host("SQLite gave a page that is none")));
        };
        if outlet.is_unused() && page.len() > FORMAT_VERSIONS.end {
            put_first(page, outlet)?;
        } else {
            outlet.put(page)?;
        }
    }
    Ok(())
}

/// The log is already part of the copy. A header that promised one would keep whoever opens the
/// copy from a directory that cannot be written, and would take up a log that happens to lie
/// there.
fn put_first(page: &[u8], outlet: &mut Outlet) -> Result<(), Halt> {
    let mut page = page.to_vec();
    page[FORMAT_VERSIONS].fill(ROLLBACK_JOURNAL);
    outlet.put(&page)
}

/// The rows of each table.
fn count(connection: &Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    let mut statement = connection.prepare(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| {
            let name = name?;
            let query = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let rows = connection.query_row(&query, [], |row| row.get(0))?;
            Ok((name, rows))
        })
        .collect()
}
