//! What a procedure remembers from one run to the next, as JSON.

use crate::bindings::sopwith::plugin::state as host;
use crate::{Context, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Runs of one procedure are few; who loses this often has a fault of another kind.
const UPDATE_TRIES_MAX: usize = 16;

/// A remembered value with the version that [`replace`] compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// What was remembered.
    pub value: T,
    /// Differs after each change.
    pub version: u64,
}

/// What is remembered under this key.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>> {
    Ok(entry(key)?.map(|entry| entry.value))
}

/// What is remembered under this key, with its version.
pub fn entry<T: DeserializeOwned>(key: &str) -> Result<Option<Entry<T>>> {
    let Some(host::Entry { value, version }) = host::get(key)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&value).with_context(|| format!("the state `{key}`"))?;
    Ok(Some(Entry { value, version }))
}

/// Remembers a value, whatever was there.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<u64> {
    Ok(host::set(key, &serde_json::to_vec(value)?, None)?)
}

/// Remembers a value, and returns its version. Fails with `conflict` unless `version` is the
/// one stored (0: none).
pub fn replace<T: Serialize + ?Sized>(key: &str, value: &T, version: u64) -> Result<u64> {
    Ok(host::set(key, &serde_json::to_vec(value)?, Some(version))?)
}

/// Remembers what `change` makes of the present value, and returns it. `change` is called again
/// when another run was quicker.
pub fn update<T>(key: &str, mut change: impl FnMut(Option<T>) -> Result<T>) -> Result<T>
where
    T: Serialize + DeserializeOwned,
{
    let mut tries = 1;
    loop {
        let (present, version) = match entry(key)? {
            Some(entry) => (Some(entry.value), entry.version),
            None => (None, 0),
        };
        let changed = change(present)?;
        match replace(key, &changed, version) {
            Ok(_) => return Ok(changed),
            Err(error) if error.kind == ErrorKind::Conflict && tries < UPDATE_TRIES_MAX => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Forgets the value.
pub fn delete(key: &str) -> Result<()> {
    Ok(host::delete(key)?)
}

/// The keys that begin with this prefix.
pub fn keys(prefix: &str) -> Result<Vec<String>> {
    Ok(host::keys(prefix)?)
}
