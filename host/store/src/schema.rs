//! Opens the database: makes it, recognises it, and refuses what this version does not know.

use crate::fault::{Fault, Outcome};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use sopwith_core::port::StoreError;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

/// `Sopw`, in the header of the file.
const APPLICATION_ID: i32 = 0x536f_7077;

const SCHEMA: &str = include_str!("schema.sql");

/// The version of `schema.sql`. Each has tables and indices that the one before lacks, and is the same
/// otherwise.
const SCHEMA_VERSION: i32 = 3;

/// How long a transaction waits for the one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// There are fewer different statements than this.
const STATEMENTS_MAX: usize = 128;

/// What the writer keeps of the database: the pages at the ends of all indices of a busy history.
const CACHE_KIBIBYTES: i32 = 8 << 10;

/// What the write-ahead log is cut back to after a burst.
const WAL_BYTES_MAX: u32 = 64 << 20;

/// Opens a connection that writes, and makes the database where there is none.
pub(crate) fn open_writer(path: &Path) -> Outcome<Connection> {
    open(path).map_err(|fault| match fault {
        Fault::Database(error) => {
            let hint = "bring a copy of it back, or move it away to begin a new history";
            StoreError::Broken(format!("`{}`: {error}; {hint}", path.display())).into()
        }
        other => other,
    })
}

fn open(path: &Path) -> Outcome<Connection> {
    create(path)?;
    let mut connection = Connection::open(path)?;
    configure(&connection)?;
    // What is somebody else's is not touched.
    recognise(&connection, path)?;
    close_to_others(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIBIBYTES)?;
    // Each job of a batch can be taken back alone: what that takes is never worth a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    make(&mut connection, path)?;
    Ok(connection)
}

/// Makes an empty file where there is none; SQLite gives its other files the mode of this one.
fn create(path: &Path) -> Outcome<()> {
    let mut file = File::options();
    file.create(true).truncate(false).write(true).mode(0o600);
    file.open(path).map_err(|error| unusable(path, &error))?;
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Broken(format!("`{}`: {error}", path.display()))
}

/// Makes sure that nobody but the owner can read the record, whatever the directory allows.
fn close_to_others(path: &Path) -> Outcome<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut of = path.as_os_str().to_owned();
        of.push(suffix);
        match fs::set_permissions(&of, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unusable(path, &error).into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is a database of this version.
pub(crate) fn is_current(path: &Path) -> Outcome<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    Ok(number("application_id")? == APPLICATION_ID && number("user_version")? == SCHEMA_VERSION)
}

/// Opens a connection that brings the write-ahead log over into the database, once that is there.
pub(crate) fn open_checkpointer(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Opens a connection that only reads, once the database is there.
pub(crate) fn open_reader(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Outcome<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "foreign_keys", true)?;
    // A plan depends on the schema alone: otherwise each binding of another value makes many a statement anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file that somebody prepared cannot make the host call functions through its schema.
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Refuses a file that is somebody else's, or that a newer version has written.
fn recognise(connection: &Connection, path: &Path) -> Outcome<()> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let file = path.display();
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        let why = format!("`{file}` is a database, but not a history of Sopwith");
        return Err(StoreError::Broken(why).into());
    }
    if version > SCHEMA_VERSION {
        let why = format!(
            "`{file}` has schema {version} of a newer Sopwith, and this one knows schemas up to {SCHEMA_VERSION}"
        );
        return Err(StoreError::Broken(why).into());
    }
    Ok(())
}

fn make(connection: &mut Connection, path: &Path) -> Outcome<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made it since.
    recognise(&transaction, path)?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => transaction.execute_batch(SCHEMA)?,
        SCHEMA_VERSION => return Ok(()),
        _ => add_what_is_missing(&transaction)?,
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Adds the tables and indices that an older version did not have.
fn add_what_is_missing(old: &Connection) -> Outcome<()> {
    let new = Connection::open_in_memory()?;
    new.execute_batch(SCHEMA)?;
    let mut select =
        new.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        let mut is_there = old.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
        if !is_there.exists([name])? {
            old.execute_batch(&sql)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_owner_reads_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let modes = || {
            let files = fs::read_dir(folder.path()).unwrap();
            let modes = files.map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777);
            modes.collect::<Vec<_>>()
        };
        let connection = open_writer(&path).unwrap();
        assert_eq!(modes(), [0o600; 3]);
        drop(connection);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let _connection = open_writer(&path).unwrap();
        assert_eq!(modes(), [0o600; 3]);
    }

    fn refused(prepare: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        prepare(&path);
        open_writer(&path).unwrap_err().to_string()
    }

    #[test]
    fn a_schema_of_a_newer_version_is_refused() {
        let why = refused(|path| {
            let connection = open_writer(path).unwrap();
            connection
                .pragma_update(None, "user_version", SCHEMA_VERSION + 1)
                .unwrap();
        });
        assert!(why.contains("has schema 4 of a newer Sopwith"), "{why}");
    }

    #[test]
    fn a_history_of_an_older_version_gets_what_it_lacks_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let objects = |connection: &Connection| {
            let mut select = connection
                .prepare("SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
                .unwrap();
            let objects = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
            objects.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let connection = open_writer(&path).unwrap();
        let whole = objects(&connection);
        connection
            .execute_batch(
                "DROP TABLE artefact; DROP INDEX run_by_time; DROP TABLE pause; DROP TABLE failures;
                 DROP TABLE owed; DROP TABLE follower; DROP TABLE pruned; DROP TABLE run_key;
                 PRAGMA user_version = 1;
                 INSERT INTO schedule VALUES ('backup', 'daily', x'00', '2026-03-01');",
            )
            .unwrap();
        drop(connection);
        assert!(!is_current(&path).unwrap());
        let upgraded = open_writer(&path).unwrap();
        assert_eq!(objects(&upgraded), whole);
        let kept = upgraded.query_row("SELECT count(*) FROM schedule", [], |row| row.get::<_, i64>(0));
        assert_eq!(kept.unwrap(), 1);
        assert!(is_current(&path).unwrap());
    }

    /// The file of what was prepared is refused, and neither its bytes nor its mode change.
    fn refused_and_left_alone(prepare: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        prepare(&path);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let before = fs::read(&path).unwrap();
        let why = open_writer(&path).unwrap_err().to_string();
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(why.contains(&path.display().to_string()), "{why}");
        why
    }

    #[test]
    fn what_is_not_ours_or_damaged_is_refused_with_its_path_and_left_alone() {
        let theirs = refused_and_left_alone(|path| {
            let connection = Connection::open(path).unwrap();
            connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        });
        assert!(theirs.contains("not a history of Sopwith"), "{theirs}");
        let newer = refused_and_left_alone(|path| {
            let connection = open_writer(path).unwrap();
            connection.pragma_update(None, "user_version", 999).unwrap();
        });
        assert!(newer.contains("has schema 999 of a newer Sopwith"), "{newer}");
        let text = refused_and_left_alone(|path| fs::write(path, "notes ".repeat(999)).unwrap());
        assert!(
            text.contains("file is not a database; bring a copy of it back"),
            "{text}"
        );
        let short = refused_and_left_alone(|path| {
            drop(open_writer(path).unwrap());
            let length = fs::metadata(path).unwrap().len();
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(length / 2)
                .unwrap();
        });
        assert!(short.contains("malformed"), "{short}");
    }

    #[test]
    fn a_commit_is_on_the_disk_when_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_writer(&folder.path().join("history.db")).unwrap();
        let text = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        assert_eq!(text("journal_mode").unwrap(), "wal");
        assert_eq!(number("synchronous").unwrap(), 2);
        assert_eq!(number("foreign_keys").unwrap(), 1);
    }
}
