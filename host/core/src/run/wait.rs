//! What a suspended run waits for.

use super::RunId;
use crate::approval::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a run may be suspended: each time costs an event and a call of the action.
pub const SUSPENSIONS_MAX: u32 = 1_000;

/// What a suspended run waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Wait {
    /// An instant, under a name that is its own within the run.
    Instant {
        /// The plugin's name for it.
        name: String,
        /// When the run goes on.
        until: Timestamp,
    },
    /// People, until the request expires.
    People {
        /// What they are asked.
        request: Box<Request>,
    },
    /// A run that it called, and that is suspended itself.
    Call {
        /// The run that was called.
        run: RunId,
    },
}

impl Wait {
    /// When the run goes on, or stops to wait, though nobody says anything.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Instant { until, .. } => Some(*until),
            Self::People { request } => Some(request.expires_at),
            Self::Call { .. } => None,
        }
    }
}
