//! Makes a database whole without its log, before another takes its place.

use super::connection::Surroundings;
use rusqlite::{ErrorCode, OpenFlags};
use std::time::Duration;

/// Takes SQLite's own exclusive lock on a database, and writes its log into it, so that it stays
/// whole without the log. What is broken anyway has nothing to lose.
pub(super) fn settle(surroundings: &Surroundings) -> rusqlite::Result<()> {
    match write_log(surroundings) {
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            Ok(())
        }
        settled => settled,
    }
}

fn write_log(surroundings: &Surroundings) -> rusqlite::Result<()> {
    let connection = surroundings.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
