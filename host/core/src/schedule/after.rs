//! Schedules that follow on the runs of another procedure.

use crate::name::{ActionName, ProcedureName};
use serde::{Deserialize, Serialize};

/// The runs that a schedule follows on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Of this procedure.
    pub procedure: ProcedureName,
    /// Of this action; none for the procedure's default.
    pub action: Option<ActionName>,
    /// Which ends count.
    pub on: AfterOn,
}

/// Which ends of a run count; those of a dry run never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterOn {
    /// It passed.
    #[default]
    Success,
    /// It did not pass, whatever it came to.
    Failure,
    /// All of them.
    Any,
}

impl AfterOn {
    /// Whether the run had to pass; none where that does not matter.
    pub fn passed(self) -> Option<bool> {
        match self {
            Self::Success => Some(true),
            Self::Failure => Some(false),
            Self::Any => None,
        }
    }
}
