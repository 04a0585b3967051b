//! What a dry run only pretended to write, and which therefore cannot be read.

use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The objects that a dry run pretended to write: `databases.app`, `directories.backups/a.db`.
#[derive(Default)]
pub(crate) struct Pretended {
    objects: Mutex<BTreeSet<String>>,
}

impl Pretended {
    pub(crate) fn add(&self, object: &str) {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(object.to_owned());
    }

    /// Fails with `planned` for what would not be there.
    pub(crate) fn check(&self, object: &str) -> Answer<()> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if objects.contains(object) {
            return Err(Failure::planned(format!(
                "this dry run only pretended to write {object}, so it cannot be read"
            )));
        }
        Ok(())
    }
}
