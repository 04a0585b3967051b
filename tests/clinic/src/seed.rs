//! Fills a database to a size, as quickly as SQLite can.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use crate::work::Work;
use crate::{Error, Places, schema};

const WRITES_PER_TRANSACTION: u32 = 5_000;

/// How far a database was filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// The size of the database, in bytes.
    pub database_bytes: u64,
    /// How many journal entries were added.
    pub entries: u64,
}

/// Fills the database in `directory` to at least `bytes`, creating it where it is missing.
///
/// Nobody else may have it open: for speed it leaves WAL mode until it is done, and a power failure
/// in between would spoil the file.
pub fn seed(directory: &Path, bytes: u64, seed: u64, now: Timestamp) -> Result<Seeded, Error> {
    let places = Places::within(directory);
    places.create()?;
    let mut connection = schema::open(&places.database)?;
    schema::create(&mut connection, now)?;
    connection.pragma_update(None, "journal_mode", "memory")?;
    connection.pragma_update(None, "synchronous", "off")?;
    let mut work = Work::new(seed, places.attachments);
    let mut entries = 0;
    while size(&connection)? < bytes {
        entries += fill(&mut connection, &mut work, bytes, now)?;
    }
    // Synchronous before the last change of the file, so that it reaches the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    Ok(Seeded {
        database_bytes: size(&connection)?,
        entries,
    })
}

/// Writes one transaction, which ends early where the size is reached.
fn fill(connection: &mut Connection, work: &mut Work, bytes: u64, now: Timestamp) -> Result<u64, Error> {
    let transaction = connection.transaction()?;
    let mut entries = 0;
    for turn in 0..WRITES_PER_TRANSACTION {
        if turn.is_multiple_of(100) && size(&transaction)? >= bytes {
            break;
        }
        // A file whose row is rolled back stays behind here: a seed that failed is thrown away whole.
        let _ = work.write_next(&transaction, now)?;
        entries += 1;
    }
    transaction.commit()?;
    Ok(entries)
}

fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(u64::from(pages) * u64::from(page_bytes))
}
