//! What the walks of one attempt may take together: the host keeps descriptors, names and filters
//! for each.

use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Walks that are under way at once.
const WALKS_MAX: usize = 4;
/// What the names take that all walks have still before them: those of a directory are sorted in
/// memory. Some 350,000 of twenty letters have room.
const NAMES_BYTES_MAX: usize = 16 << 20;

/// Counts the walks of one attempt.
pub(crate) struct Walks {
    walks: Arc<Semaphore>,
    names: Arc<Semaphore>,
}

impl Walks {
    pub(crate) fn new() -> Self {
        Self {
            walks: Arc::new(Semaphore::new(WALKS_MAX)),
            names: Arc::new(Semaphore::new(NAMES_BYTES_MAX)),
        }
    }

    /// Makes room for one walk.
    pub(crate) fn admit(&self) -> Answer<Admitted> {
        let turn = Arc::clone(&self.walks).try_acquire_owned();
        let turn = turn.map_err(|_| {
            let message = format!("an attempt may have {WALKS_MAX} walks under way at once");
            Failure::limit("walks", message).hint("drop an inventory before the next walk")
        })?;
        Ok(Admitted {
            _turn: turn,
            names: Arc::clone(&self.names),
        })
    }
}

/// The room of one walk; dropped, others have it.
pub(crate) struct Admitted {
    _turn: OwnedSemaphorePermit,
    names: Arc<Semaphore>,
}

impl Admitted {
    /// Names of nothing yet.
    pub(super) fn names(&self) -> io::Result<Names> {
        Ok(Names {
            names: Vec::new(),
            held: self.hold(0)?,
        })
    }

    /// Adds a name, if there is room for it.
    pub(super) fn add(&self, name: OsString, to: &mut Names) -> io::Result<()> {
        to.held.merge(self.hold(size_of::<OsString>() + name.len())?);
        to.names.push(name);
        Ok(())
    }

    fn hold(&self, bytes: usize) -> io::Result<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.names).try_acquire_many_owned(bytes);
        held.map_err(|_| {
            io::Error::other(format!(
                "the directories have more names than {NAMES_BYTES_MAX} bytes hold"
            ))
        })
    }
}

/// Names of one directory; dropped, others have their room.
pub(super) struct Names {
    names: Vec<OsString>,
    held: OwnedSemaphorePermit,
}

impl Names {
    /// The last name first, since names are taken from the end.
    pub(super) fn sort(&mut self) {
        self.names.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Takes the first one.
    pub(super) fn pop(&mut self) -> Option<OsString> {
        self.names.pop()
    }
}
