//! How long the history of a procedure is kept.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// How long the runs of a procedure, and its ticks without runs, are kept. What passes either bound goes; see
/// [`Pruning`](crate::port::Pruning) for what stays nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// How long after they were queued.
    pub keep: Duration,
    /// How many, the newest.
    pub keep_runs: u32,
}

impl Retention {
    /// The least of `keep`: what is younger is looked at still.
    pub const KEEP_LEAST: Duration = DAY;
}

/// A year, and a month in which the year is looked back at; twenty thousand runs are two months of one every
/// five minutes.
impl Default for Retention {
    fn default() -> Self {
        Self {
            keep: DAY.saturating_mul(400),
            keep_runs: 20_000,
        }
    }
}
