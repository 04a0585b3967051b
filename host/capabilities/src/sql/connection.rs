//! Opens an SQLite file so that nothing leads out of it.

use super::policy::{Policy, Refusal, judge};
use super::process::{Spill, locked};
use super::trouble::{database_failure, too_much_memory, too_much_scratch};
use crate::held::Hold;
use crate::stop::Watch;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sopwith_core::failure::Failure;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Instructions of the virtual machine between two looks at the clock; some tens of microseconds.
const OPERATIONS_PER_LOOK: i32 = 1_000;
/// The longest value or row: what one cursor may make the host hold in memory.
pub(super) const VALUE_BYTES_MAX: u64 = 16 << 20;
/// How long another connection may hold a lock before the call is `unavailable`.
const BUSY_MAX: Duration = Duration::from_secs(5);
const BUSY_NAP: Duration = Duration::from_millis(5);

/// Where a connection leads, and what it has to stay within.
pub(super) struct Surroundings {
    pub(super) path: PathBuf,
    pub(super) watch: Arc<Watch>,
    /// What is put into temporary files.
    pub(super) spill: Arc<Mutex<Spill>>,
    /// The memory of the engine, which is the whole process's.
    pub(super) memory_bytes: u64,
}

impl Surroundings {
    /// What an error of a statement means, whoever wrote it.
    pub(super) fn failure(&self, error: &rusqlite::Error, database: &str) -> Failure {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) if locked(&self.spill).is_full() => too_much_scratch(),
            Some(ErrorCode::OperationInterrupted) => {
                let ended = self.watch.check().err();
                ended.unwrap_or_else(|| database_failure(error, database))
            }
            Some(ErrorCode::OutOfMemory) => too_much_memory(self.memory_bytes),
            _ => database_failure(error, database),
        }
    }

    pub(super) fn open(&self, mode: OpenFlags) -> rusqlite::Result<Connection> {
        // Without `SQLITE_OPEN_URI`, so that a path is nothing but a path.
        let connection = Connection::open_with_flags(&self.path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let bytes = i64::try_from(self.memory_bytes).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "hard_heap_limit", bytes, |_| Ok(()))?;
        Ok(connection)
    }

    /// Ends what runs too long, fills the disk, or waits too long for a lock.
    fn attend(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let (running, waiting) = (Arc::clone(&self.watch), Arc::clone(&self.watch));
        let spill = Arc::clone(&self.spill);
        let has_to_end = move || running.check().is_err() || !locked(&spill).has_room(running.now());
        connection.progress_handler(OPERATIONS_PER_LOOK, Some(has_to_end))?;
        let naps_max = BUSY_MAX.as_millis() / BUSY_NAP.as_millis();
        connection.busy_handler(Some(move |naps: i32| {
            if waiting.check().is_err() || u128::try_from(naps).is_ok_and(|naps| naps >= naps_max) {
                return false;
            }
            std::thread::sleep(BUSY_NAP);
            true
        }))
    }
}

/// A connection that carries out statements of a plugin, and some of the host's own.
pub(super) struct Guarded {
    connection: Connection,
    /// After the connection, so that it is dropped later.
    _hold: Hold,
    guard: Arc<Guard>,
    pub(super) surroundings: Surroundings,
}

/// What the connection and its authorizer share.
struct Guard {
    policy: Policy,
    /// Whether the statement that is being compiled is the host's own.
    trusted: AtomicBool,
    /// Tables behind the virtual tables of the grant, which only these can change.
    shadows: OnceLock<BTreeSet<String>>,
    refusal: Mutex<Option<Refusal>>,
}

impl Guard {
    fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        if self.trusted.load(Relaxed) {
            return Authorization::Allow;
        }
        let none = BTreeSet::new();
        match judge(context, &self.policy, self.shadows.get().unwrap_or(&none)) {
            Ok(()) => Authorization::Allow,
            Err(refusal) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                Authorization::Deny
            }
        }
    }
}

impl Guarded {
    /// Opens a database for statements of a plugin.
    pub(super) fn open(
        surroundings: Surroundings,
        policy: Policy,
        value_bytes_max: u64,
    ) -> rusqlite::Result<Self> {
        let hold = Hold::new(&surroundings.path);
        let reads = policy == Policy::Read;
        let mut connection = surroundings.open(if reads {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        })?;
        protect(&connection, value_bytes_max)?;
        narrow(&connection)?;
        if reads {
            connection.pragma_update(None, "query_only", true)?;
        }
        surroundings.attend(&mut connection)?;
        let guard = Arc::new(Guard {
            policy,
            trusted: AtomicBool::new(false),
            shadows: OnceLock::new(),
            refusal: Mutex::default(),
        });
        let shared = Arc::clone(&guard);
        connection.authorizer(Some(move |context: AuthContext<'_>| shared.authorize(&context)))?;
        Ok(Self {
            connection,
            _hold: hold,
            guard,
            surroundings,
        })
    }

    /// Looks which tables belong to virtual ones. All of these are connected by that, so that
    /// what they prepare for themselves is not taken for the plugin's.
    pub(super) fn admit_shadows(&self) -> rusqlite::Result<()> {
        let shadows = self.trusted(|connection| shadows(connection, &self.guard.policy))?;
        let _ = self.guard.shadows.set(shadows);
        Ok(())
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

    /// Whether the database is one of the run's own.
    pub(super) fn is_own(&self) -> bool {
        self.guard.policy == Policy::Own
    }

    /// Whether it is not the disk that is full.
    pub(super) fn disk_has_room(&self) -> bool {
        let looked = rustix::fs::statvfs(&self.surroundings.path);
        looked.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > VALUE_BYTES_MAX)
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

/// A connection for statements of the host's own, which read.
pub(super) struct HostConnection {
    connection: Connection,
    /// After the connection, so that it is dropped later.
    _hold: Hold,
}

impl HostConnection {
    pub(super) fn open(surroundings: &Surroundings) -> rusqlite::Result<Self> {
        let hold = Hold::new(&surroundings.path);
        let mut connection = surroundings.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // A schema has expressions, and in a scratch a plugin wrote them.
        protect(&connection, VALUE_BYTES_MAX)?;
        connection.pragma_update(None, "query_only", true)?;
        surroundings.attend(&mut connection)?;
        Ok(Self {
            connection,
            _hold: hold,
        })
    }
}

impl Deref for HostConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// What holds for every connection; a schema may have been written by a plugin, too.
fn protect(connection: &Connection, value_bytes_max: u64) -> rusqlite::Result<()> {
    for (config, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
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
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 50),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// What holds for statements of a plugin. A schema has to stay within the limits of the parser,
/// or nothing of the database can be read; so these are those that the engine has by default.
fn narrow(connection: &Connection) -> rusqlite::Result<()> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1_000_000),
        (Limit::SQLITE_LIMIT_COLUMN, 2_000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1_000),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        (Limit::SQLITE_LIMIT_TRIGGER_STEPS, 1_000),
        (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 10_000),
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

fn shadows(connection: &Connection, policy: &Policy) -> rusqlite::Result<BTreeSet<String>> {
    let tables = |kind: &str| -> rusqlite::Result<Vec<String>> {
        connection
            .prepare("SELECT lower(name) FROM pragma_table_list WHERE schema = 'main' AND type = ?1")?
            .query_map([kind], |row| row.get(0))?
            .collect()
    };
    let (virtuals, mut shadows) = (tables("virtual")?, tables("shadow")?);
    let Policy::Write(granted) = policy else {
        return Ok(BTreeSet::new());
    };
    // `a_b_data` may belong to `a_b` or to `a`: to the longer name, as the engine has it.
    let owner = |shadow: &str| {
        let owners = virtuals.iter().filter(|name| {
            shadow
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with('_'))
        });
        owners.max_by_key(|name| name.len())
    };
    shadows.retain(|shadow| owner(shadow).is_some_and(|owner| granted.contains(owner)));
    Ok(shadows.into_iter().collect())
}
