//! The baseline of what is durable: a program that keeps as much in SQLite, one commit after another.

use crate::place::Place;
use rusqlite::Connection;

/// A database with nothing but rows.
pub(crate) struct Plain {
    connection: Connection,
    row: String,
}

impl Plain {
    /// A new one, whose rows have so many bytes.
    pub(crate) fn new(place: &Place, row_bytes: usize) -> Self {
        let connection = Connection::open(place.path("plain.db")).expect("a database");
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; PRAGMA synchronous = full;
                 CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;",
            )
            .expect("a table");
        Self {
            connection,
            row: "x".repeat(row_bytes),
        }
    }

    /// Adds so many rows, each durable before the next.
    pub(crate) fn commit(&self, rows: u32) {
        for _ in 0..rows {
            self.connection
                .execute("INSERT INTO event (body) VALUES (?1)", [&self.row])
                .expect("a commit");
        }
    }
}
