//! The tables of the clinic's database, the rows it starts with, and how it is opened.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::{Error, clock};

/// The id of the tenant that is always there.
pub const DEFAULT_TENANT: &str = "default";

/// The version of the tables, kept in SQLite's `user_version`.
pub const VERSION: i32 = 1;

/// Longer than any other writer or checkpoint holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const USERS: [(&str, &str); 3] = [
    ("reception@clinic.example", "Reception"),
    ("accounts@clinic.example", "Accounts"),
    ("doctor@clinic.example", "Doctor"),
];

const FEATURES: [&str; 3] = ["attachments", "journal", "patients"];

/// Creates the tables and the first rows where the database is new, and else checks its version.
pub fn create(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    // Two processes may meet here, so the version is read under the write lock.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        0 => {
            transaction.execute_batch(include_str!("schema.sql"))?;
            insert_first_rows(&transaction, &clock::text(now))?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            Ok(transaction.commit()?)
        }
        found => expect_version(found),
    }
}

/// Opens a database to read and write, in WAL mode and with foreign keys enforced.
pub fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Checks that the file at `path` is a database of this version whose tables can be read.
///
/// It opens the file anew: a connection that is open already would go on with a file that was
/// deleted or replaced.
pub(crate) fn probe(path: &Path) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    expect_version(version(&connection)?)?;
    connection.query_row("SELECT count(*) FROM tenants", [], |_| Ok(()))?;
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn expect_version(found: i32) -> Result<(), Error> {
    if found == VERSION {
        return Ok(());
    }
    Err(Error::Schema {
        found,
        expected: VERSION,
    })
}

fn insert_first_rows(transaction: &Transaction<'_>, now: &str) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO tenants (id, name, created_at) VALUES (?1, 'The Clinic', ?2)",
        params![DEFAULT_TENANT, now],
    )?;
    for feature in FEATURES {
        transaction.execute(
            "INSERT INTO features (tenant_id, name) VALUES (?1, ?2)",
            params![DEFAULT_TENANT, feature],
        )?;
    }
    for (email, display_name) in USERS {
        transaction.execute(
            "INSERT INTO users (tenant_id, email, display_name, created_at) VALUES (?1, ?2, ?3, ?4)",
            params![DEFAULT_TENANT, email, display_name, now],
        )?;
    }
    Ok(())
}
