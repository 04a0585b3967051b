//! Who acts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who acts, and thereby how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Actor {
    /// A user of the operating system: on the command line, or at the other end of the socket.
    User {
        /// The name in the user database, the number where there is none.
        name: String,
        /// The number.
        uid: u32,
    },
    /// A schedule.
    Schedule,
    /// The host itself: recovery, reloads.
    Host,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => write!(f, "user:{name}"),
            Self::Schedule => f.write_str("schedule"),
            Self::Host => f.write_str("host"),
        }
    }
}
