//! The section of a procedure's file under which a grant belongs.

use crate::name::ActionName;
use std::fmt;

/// The section of a procedure's file under which a grant to an action belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantSection {
    /// `[grants]`, which holds for every action.
    Procedure,
    /// `[actions.NAME.grants]`, which holds for one action beyond that.
    Action(ActionName),
}

impl fmt::Display for GrantSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Procedure => f.write_str("[grants]"),
            Self::Action(action) => write!(f, "[actions.{action}.grants]"),
        }
    }
}
