//! Why a text is no condition.

use std::fmt::{self, Display};

/// Why a text is no condition, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The character, from 1, at which it is wrong.
    pub(crate) position: usize,
    /// What is wrong, or what was expected.
    pub(crate) message: String,
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at character {}: {}", self.position, self.message)
    }
}

impl std::error::Error for Fault {}
