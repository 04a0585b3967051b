//! Databases that last no longer than a run.

use super::Database;
use crate::Result;
use crate::bindings::sopwith::plugin::sql as host;
use std::ops::Deref;

/// An empty database of this run's own; it stands wherever a database does, and is removed
/// when it is dropped.
#[derive(Debug)]
pub struct Scratch(Database);

impl Scratch {
    pub(super) fn like(database: &Database) -> Result<Self> {
        Ok(Self(Database::new(host::scratch(database.name())?)))
    }

    /// Keeps it until the end of the run; a later attempt of the run finds it by its name.
    pub fn keep(self) -> Database {
        let kept = self.0.clone();
        std::mem::forget(self);
        kept
    }

    /// Removes it, and says whether that succeeded.
    pub fn discard(self) -> Result<()> {
        Ok(host::discard(self.keep().name())?)
    }
}

impl Deref for Scratch {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.0
    }
}

impl AsRef<str> for Scratch {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The host removes it at the end of the run in any case.
        let _ = host::discard(self.0.name());
    }
}
