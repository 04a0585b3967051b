//! What becomes of ticks that passed unseen, and of those that meet an earlier run.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What becomes of ticks that passed while no host ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The newest one runs, the others are missed.
    #[default]
    Latest,
    /// All are missed.
    None,
    /// The newest ones run in their order, the others are missed.
    All {
        /// At most so many.
        max: u32,
        /// None that is longer ago than this.
        window: SignedDuration,
    },
}

impl CatchUp {
    /// The most that `max` may be.
    pub const MAX_MOST: u32 = 1_000;
}

/// What becomes of a tick while earlier runs of the same procedure and action have not ended. Dry runs
/// count for nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is skipped.
    #[default]
    Forbid,
    /// It waits for them, unless another one waits already; then it is skipped.
    QueueOne,
    /// They are told to end, and it starts when they have.
    Replace,
    /// It runs beside them, unless there are as many; then it is skipped.
    Allow {
        /// At most so many at once.
        max: u32,
    },
}

impl Overlap {
    /// How many attempts may be under way at once.
    pub fn at_once(self) -> usize {
        match self {
            Self::Allow { max } => usize::try_from(max).unwrap_or(usize::MAX),
            Self::Forbid | Self::QueueOne | Self::Replace => 1,
        }
    }
}
