//! Keeps the locks of databases that are open.
//!
//! The operating system takes away all locks that a process has on a file as soon as the process
//! closes any descriptor of it, and SQLite relies on these locks. So a file that is read while a
//! connection is open to it stays open until that connection is gone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static HELD: Mutex<Held> = Mutex::new(Held {
    connections: BTreeMap::new(),
    parked: Vec::new(),
});

struct Held {
    /// How many connections are open to each file.
    connections: BTreeMap<PathBuf, usize>,
    /// Files that are to be closed once nobody is connected to this path.
    parked: Vec<(PathBuf, File)>,
}

/// Says that a connection is open to a database; dropped after the connection.
pub(crate) struct Hold(PathBuf);

impl Hold {
    pub(crate) fn new(path: &Path) -> Self {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        *held.connections.entry(path.to_owned()).or_default() += 1;
        Self(path.to_owned())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.connections.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                held.connections.remove(&self.0);
                held.parked.retain(|(path, _)| *path != self.0);
            }
        }
    }
}

/// Closes a file, later if a database is open in it.
pub(crate) fn close(file: File) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(metadata) = file.metadata() else { return };
    let is_it = |path: &Path| {
        fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (metadata.dev(), metadata.ino()))
    };
    let database = held
        .connections
        .keys()
        .find(|path| is_it(path) || is_it(&crate::scratch::with_suffix(path, "-shm")))
        .cloned();
    match database {
        Some(database) => held.parked.push((database, file)),
        // Within the lock, so that nobody connects between the look and the end.
        None => drop(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::process::Command;

    /// Names the database that the second process is to lock.
    const TO_LOCK: &str = "SOPWITH_TEST_TO_LOCK";

    #[test]
    fn reading_the_file_of_an_open_database_leaves_its_locks_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("CREATE TABLE a (x); BEGIN; SELECT * FROM a")
            .unwrap();
        let _: i64 = connection
            .query_row("SELECT count(*) FROM a", [], |row| row.get(0))
            .unwrap();

        let hold = Hold::new(&path);
        close(File::open(&path).unwrap());
        assert!(!another_process_can_lock(&path), "the reader's lock is gone");
        drop((connection, hold));
        assert!(another_process_can_lock(&path));
    }

    /// Locks of one's own process are not seen from within it, so this program runs once more.
    fn another_process_can_lock(path: &Path) -> bool {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "held::tests::the_second_process", "--nocapture"])
            .env(TO_LOCK, path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        match (said.contains("<locked>"), said.contains("<busy>")) {
            (true, false) => true,
            (false, true) => false,
            _ => panic!("the second process says: {said}"),
        }
    }

    /// Does nothing but what the test above asks of it.
    #[test]
    fn the_second_process() {
        let Some(path) = std::env::var_os(TO_LOCK) else {
            return;
        };
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        match connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK") {
            Ok(()) => println!("<locked>"),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                println!("<busy>");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
