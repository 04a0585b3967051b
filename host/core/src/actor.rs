//! Who acts.

use crate::name::ProcedureName;
use crate::run::RunId;
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
    /// A run that called another procedure.
    Procedure {
        /// The procedure of the run.
        name: ProcedureName,
        /// The run.
        run: RunId,
        /// Who wanted that run.
        on_behalf_of: Box<Actor>,
    },
    /// The host itself: recovery, reloads.
    Host,
}

impl Actor {
    /// Who is behind it: for a procedure, whoever wanted its run.
    pub fn person(&self) -> &Self {
        match self {
            Self::Procedure { on_behalf_of, .. } => on_behalf_of.person(),
            other => other,
        }
    }

    /// Whether both are the same user of the operating system.
    pub fn is_same_person(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::User { uid: one, .. }, Self::User { uid: other, .. }) => one == other,
            _ => false,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => write!(f, "user:{name}"),
            Self::Schedule => f.write_str("schedule"),
            Self::Procedure {
                name, on_behalf_of, ..
            } => write!(f, "procedure:{name} for {on_behalf_of}"),
            Self::Host => f.write_str("host"),
        }
    }
}
