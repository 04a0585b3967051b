//! A consistent snapshot of a database, handed out piece by piece, while others write.
//!
//! All pages are read in one read transaction through the virtual table `sqlite_dbpage`, so the
//! write-ahead log is in it and no writer makes it begin anew, as small steps of the backup
//! interface would.

use super::connection::{HostConnection, Surroundings};
use super::process::Post;
use super::process::wire::Request;
use super::schema;
use bytes::{Bytes, BytesMut};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Rows};
use serde::{Deserialize, Serialize};
use sopwith_core::digest::Digest;
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::Receiver;

/// What is handed out at once, and one page more at most.
const PIECE_BYTES: usize = 1 << 20;
/// Where the header says for reading and for writing whether there is a write-ahead log.
const FORMAT_VERSIONS: std::ops::Range<usize> = 18..20;
/// The value that says that there is none.
const ROLLBACK_JOURNAL: u8 = 1;

/// What is handed out next.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Piece {
    Pages(Bytes),
    End(Summary),
}

/// What a snapshot holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// The rows of each table.
    pub(crate) rows: BTreeMap<String, i64>,
    /// `sha256:…` of the normalised DDL.
    pub(crate) schema_digest: String,
}

/// Tells the journal mode, and then hands out a piece for each request.
pub(super) fn serve(
    surroundings: &Surroundings,
    database: &str,
    inbox: &Receiver<Request>,
    post: &Post,
) -> io::Result<()> {
    let failed = |error: rusqlite::Error| surroundings.failure(&error, database);
    let connection = match HostConnection::open(surroundings) {
        Ok(connection) => connection,
        Err(error) => return post.send::<String>(Err(failed(error))),
    };
    post.send(begin(&connection).map_err(failed))?;
    let mut pages = match connection.prepare("SELECT data FROM sqlite_dbpage ORDER BY pgno") {
        Ok(pages) => pages,
        Err(error) => return post.send::<Piece>(Err(failed(error))),
    };
    let mut pages = pages.raw_query();
    let mut is_first = true;
    for _ in inbox {
        let piece = piece(&connection, &mut pages, is_first);
        is_first = false;
        post.send(piece.map_err(failed))?;
    }
    Ok(())
}

/// Begins the transaction; the first read is what takes the snapshot.
fn begin(connection: &Connection) -> rusqlite::Result<String> {
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

fn piece(connection: &Connection, pages: &mut Rows<'_>, is_first: bool) -> rusqlite::Result<Piece> {
    let mut bytes = BytesMut::with_capacity(PIECE_BYTES);
    while bytes.len() < PIECE_BYTES
        && let Some(row) = pages.next()?
    {
        if let ValueRef::Blob(page) = row.get_ref(0)? {
            bytes.extend_from_slice(page);
        }
    }
    if bytes.is_empty() {
        return Ok(Piece::End(Summary {
            rows: count(connection)?,
            schema_digest: Digest::of(schema::read(connection)?).to_string(),
        }));
    }
    // The log is already part of the copy. A header that promised one would keep whoever opens the
    // copy from a directory that cannot be written, and would take up a log that happens to lie there.
    if is_first && let Some(versions) = bytes.get_mut(FORMAT_VERSIONS) {
        versions.fill(ROLLBACK_JOURNAL);
    }
    Ok(Piece::Pages(bytes.freeze()))
}

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
