//! What plugins remember: values with versions, under a cap for each procedure.

use crate::fault::Outcome;
use rusqlite::{Connection, OptionalExtension as _, params};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::StoreError;
use sopwith_core::port::capabilities::StateEntry;

/// A value of a procedure.
pub(crate) fn get(
    connection: &Connection,
    procedure: &ProcedureName,
    key: &str,
) -> Outcome<Option<StateEntry>> {
    let mut select =
        connection.prepare_cached("SELECT value, version FROM state WHERE procedure = ?1 AND key = ?2")?;
    let entry = select.query_row((procedure.as_str(), key), |row| {
        Ok(StateEntry {
            value: row.get(0)?,
            version: row.get(1)?,
        })
    });
    Ok(entry.optional()?)
}

/// Writes a value, and returns its version.
pub(crate) fn set(
    connection: &Connection,
    procedure: &ProcedureName,
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    bytes_max: u64,
) -> Outcome<u64> {
    let old = stored(connection, procedure, key)?;
    let found = old.map_or(0, |old| old.version);
    if expected.is_some_and(|expected| expected != found) {
        return Err(StoreError::Conflict { found }.into());
    }
    let others = size(connection, procedure)? - old.map_or(0, |old| old.bytes);
    let wanted = others + bytes_of(key, value.len());
    if wanted > bytes_max {
        return Err(StoreError::TooLarge {
            max: bytes_max,
            wanted,
        }
        .into());
    }
    let version = found + 1;
    connection
        .prepare_cached(
            "INSERT INTO state (procedure, key, version, value) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value",
        )?
        .execute(params![procedure.as_str(), key, version, value])?;
    set_size(connection, procedure, wanted)?;
    Ok(version)
}

/// Forgets a value.
pub(crate) fn delete(connection: &Connection, procedure: &ProcedureName, key: &str) -> Outcome<()> {
    let Some(old) = stored(connection, procedure, key)? else {
        return Ok(());
    };
    connection
        .prepare_cached("DELETE FROM state WHERE procedure = ?1 AND key = ?2")?
        .execute((procedure.as_str(), key))?;
    set_size(connection, procedure, size(connection, procedure)? - old.bytes)
}

/// The keys that begin with this, in order. The cap on bytes is one on their number, too.
pub(crate) fn keys(connection: &Connection, procedure: &ProcedureName, prefix: &str) -> Outcome<Vec<String>> {
    let mut select =
        connection.prepare_cached("SELECT key FROM state WHERE procedure = ?1 AND key >= ?2 ORDER BY key")?;
    let mut rows = select.query((procedure.as_str(), prefix))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        keys.push(key);
    }
    Ok(keys)
}

#[derive(Clone, Copy)]
struct Stored {
    version: u64,
    bytes: u64,
}

fn stored(connection: &Connection, procedure: &ProcedureName, key: &str) -> Outcome<Option<Stored>> {
    let mut select = connection
        .prepare_cached("SELECT version, length(value) FROM state WHERE procedure = ?1 AND key = ?2")?;
    let stored = select.query_row((procedure.as_str(), key), |row| {
        Ok(Stored {
            version: row.get(0)?,
            bytes: bytes_of(key, row.get(1)?),
        })
    });
    Ok(stored.optional()?)
}

fn bytes_of(key: &str, value_bytes: usize) -> u64 {
    key.len() as u64 + value_bytes as u64
}

/// The bytes of all keys and values of a procedure.
pub(crate) fn size(connection: &Connection, procedure: &ProcedureName) -> Outcome<u64> {
    let mut select = connection.prepare_cached("SELECT bytes FROM state_size WHERE procedure = ?1")?;
    let bytes = select.query_row([procedure.as_str()], |row| row.get(0));
    Ok(bytes.optional()?.unwrap_or(0))
}

fn set_size(connection: &Connection, procedure: &ProcedureName, bytes: u64) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO state_size (procedure, bytes) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute((procedure.as_str(), bytes))?;
    Ok(())
}
