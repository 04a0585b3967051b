//! What a dry run only pretended to write, and which therefore cannot be read.

use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More are not told apart: then nothing can be read that might be one of them.
const OBJECTS_MAX: usize = 100_000;

/// The objects that a dry run pretended to write: `databases.app`, `directories.backups/a.db`. Only
/// their digests are kept, since a name may have kilobytes.
#[derive(Default)]
pub(crate) struct Pretended {
    objects: Mutex<BTreeSet<Digest>>,
}

impl Pretended {
    pub(crate) fn add(&self, object: &str) {
        let mut objects = self.lock();
        if objects.len() <= OBJECTS_MAX {
            objects.insert(Digest::of(object.as_bytes()));
        }
    }

    /// Fails with `planned` for what would not be there.
    pub(crate) fn check(&self, object: &str) -> Answer<()> {
        let objects = self.lock();
        if objects.is_empty() {
            return Ok(());
        }
        if objects.len() > OBJECTS_MAX {
            return Err(Failure::planned(format!(
                "this dry run pretended to write more than {OBJECTS_MAX} things, perhaps {object}, so it cannot be read"
            )));
        }
        if objects.contains(&Digest::of(object.as_bytes())) {
            return Err(Failure::planned(format!(
                "this dry run only pretended to write {object}, so it cannot be read"
            )));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::failure::FailureKind;

    #[test]
    fn what_was_pretended_cannot_be_read_however_much_it_is() {
        let pretended = Pretended::default();
        let check = |object: &str| pretended.check(object).map_err(|failure| failure.kind);
        assert_eq!(check("files/0"), Ok(()));
        for number in 0..OBJECTS_MAX {
            pretended.add(&format!("files/{number}"));
        }
        assert_eq!(check("files/0"), Err(FailureKind::Planned));
        assert_eq!(check("other"), Ok(()));
        pretended.add("one more");
        pretended.add("and another");
        assert_eq!(check("other"), Err(FailureKind::Planned));
        assert_eq!(pretended.lock().len(), OBJECTS_MAX + 1);
    }
}
