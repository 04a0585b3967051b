//! What an attempt has used of those limits that nobody else counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The most at once, or the most of one thing.
#[derive(Debug, Default)]
pub(crate) struct Most(AtomicU64);

impl Most {
    /// Takes a figure into account.
    pub(crate) fn most(&self, figure: u64) {
        self.0.fetch_max(figure, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counts for one attempt.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Of one query.
    pub(crate) rows: Most,
    /// Of one query.
    pub(crate) query_bytes: Most,
    /// Of one body, either way.
    pub(crate) http_body_bytes: Most,
    /// Of one output of a command.
    pub(crate) command_output_bytes: Most,
    /// Of all scratch databases and temporary files at once.
    pub(crate) scratch_bytes: Most,
    /// Of the procedure's whole state.
    pub(crate) state_bytes: Most,
}
