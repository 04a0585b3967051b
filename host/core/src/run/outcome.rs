//! What an action found.

use crate::failure::Failure;
use crate::port::capabilities::Pairs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// What a run found. That a check found trouble is a verdict; that it could not run, a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There was nothing to do.
    NothingToDo,
    /// All is well.
    Ok,
    /// Somebody should look.
    Warning,
    /// Somebody has to act.
    Critical,
}

impl Verdict {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingToDo => "nothing-to-do",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Reads the word of the contract; an unknown one fails the run with blame `plugin`.
    pub fn from_word(word: &str) -> Result<Self, Failure> {
        serde_json::from_value(word.into()).map_err(|_| {
            Failure::invalid(format!("`{word}` is not a verdict"))
                .hint("verdicts are `ok`, `warning`, `critical` and `nothing-to-do`")
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an action ended that could do its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What it found.
    pub verdict: Verdict,
    /// One sentence for the operator.
    pub summary: String,
    /// The machine-readable result, in the shape that the manifest declares.
    pub output: Value,
    /// Further names with values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Pairs,
}
