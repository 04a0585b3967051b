//! Opens an SQLite file so that nothing leads out of it.

use super::policy::{Policy, Refusal, judge};
use crate::held::Hold;
use crate::stop::Watch;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Authorization;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Instructions of the virtual machine between two looks at the clock; some tens of microseconds.
const OPERATIONS_PER_LOOK: i32 = 1_000;
/// The longest value or row: what one cursor may make the host hold in memory.
const VALUE_BYTES_MAX: u64 = 16 << 20;
/// How long another connection may hold a lock before the call is `unavailable`.
const BUSY_MAX: Duration = Duration::from_secs(5);
const BUSY_NAP: Duration = Duration::from_millis(5);

/// A connection that carries out statements of a plugin, and some of the host's own.
pub(super) struct Guarded {
    connection: Connection,
    /// After the connection, so that it is dropped later.
    _hold: Hold,
    guard: Arc<Guard>,
    pub(super) watch: Arc<Watch>,
}

/// What the connection and its authorizer share.
#[derive(Default)]
struct Guard {
    /// Whether the statement that is being compiled is the host's own.
    trusted: AtomicBool,
    refusal: Mutex<Option<Refusal>>,
}

impl Guarded {
    /// Opens a database for statements of a plugin.
    pub(super) fn open(
        path: &Path,
        policy: Policy,
        value_bytes_max: u64,
        watch: Arc<Watch>,
    ) -> rusqlite::Result<Self> {
        let hold = Hold::new(path);
        let writes = policy != Policy::Read;
        let mut connection = if writes {
            open_to_write(path)?
        } else {
            open_to_read(path)?
        };
        protect(&connection, value_bytes_max)?;
        if !writes {
            connection.pragma_update(None, "query_only", true)?;
        }
        attend(&mut connection, &watch)?;
        let guard = Arc::new(Guard::default());
        let shared = Arc::clone(&guard);
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            if shared.trusted.load(Relaxed) {
                return Authorization::Allow;
            }
            match judge(&context, &policy) {
                Ok(()) => Authorization::Allow,
                Err(refusal) => {
                    *shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                    Authorization::Deny
                }
            }
        }))?;
        Ok(Self {
            connection,
            _hold: hold,
            guard,
            watch,
        })
    }

    /// For statements of the plugin.
    pub(super) fn plain(&self) -> &Connection {
        &self.connection
    }

    /// Carries out statements of the host's own.
    pub(super) fn trusted<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        self.guard.trusted.store(true, Relaxed);
        let result = work(&self.connection);
        self.guard.trusted.store(false, Relaxed);
        result
    }

    /// What the authorizer refused last.
    pub(super) fn take_refusal(&self) -> Option<Refusal> {
        self.guard
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// A connection that the host alone reads from.
pub(crate) struct HostConnection {
    connection: Connection,
    /// After the connection, so that it is dropped later.
    _hold: Hold,
}

impl Deref for HostConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Opens a database that the host alone reads, within the time of the watch.
pub(crate) fn open_for_host(path: &Path, watch: &Arc<Watch>) -> rusqlite::Result<HostConnection> {
    let hold = Hold::new(path);
    let mut connection = open_to_read(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "query_only", true)?;
    attend(&mut connection, watch)?;
    Ok(HostConnection {
        connection,
        _hold: hold,
    })
}

fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open_to_write(path: &Path) -> rusqlite::Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn open(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    // Without `SQLITE_OPEN_URI`, so that a path is nothing but a path.
    Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Ends what runs too long or waits too long for a lock.
fn attend(connection: &mut Connection, watch: &Arc<Watch>) -> rusqlite::Result<()> {
    let (running, waiting) = (Arc::clone(watch), Arc::clone(watch));
    connection.progress_handler(OPERATIONS_PER_LOOK, Some(move || running.check().is_err()))?;
    let naps_max = BUSY_MAX.as_millis() / BUSY_NAP.as_millis();
    connection.busy_handler(Some(move |naps: i32| {
        if waiting.check().is_err() || u128::try_from(naps).is_ok_and(|naps| naps >= naps_max) {
            return false;
        }
        std::thread::sleep(BUSY_NAP);
        true
    }))
}

fn protect(connection: &Connection, value_bytes_max: u64) -> rusqlite::Result<()> {
    for (config, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
    ] {
        connection.set_db_config(config, value)?;
    }
    let value_bytes_max = i32::try_from(value_bytes_max.min(VALUE_BYTES_MAX)).unwrap_or(i32::MAX);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, value_bytes_max),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 256 << 10),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 10_000),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 50),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// Keeps a database from growing beyond so many bytes.
pub(super) fn cap(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: u64 = connection
        .pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?
        .unsigned_abs();
    let pages = i64::try_from(bytes / page.max(1)).unwrap_or(i64::MAX).max(1);
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}
