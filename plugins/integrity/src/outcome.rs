//! What came of the checks, as machines read it.

use sopwith::Severity;
use sopwith::serde_json::Value;

/// What came of one check.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckOutcome {
    /// The check's name.
    pub(crate) name: String,
    /// Whether it is below its thresholds.
    pub(crate) ok: bool,
    /// How bad it is when it is not: `medium` at most where it only warns.
    pub(crate) severity: Severity,
    /// How many rows break it.
    pub(crate) rows: u64,
    /// Whether there are more, which were not counted.
    pub(crate) at_least: bool,
    /// How many rows broke it in the run before.
    pub(crate) previous: Option<u64>,
    /// A few of the rows.
    pub(crate) sample: Vec<Value>,
}

impl CheckOutcome {
    /// The number of rows for people: `3 rows (1 before)`.
    pub(crate) fn shown(&self) -> String {
        let least = if self.at_least { "at least " } else { "" };
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let shown = format!("{least}{} {rows}", self.rows);
        match self.previous {
            Some(previous) if previous != self.rows => format!("{shown} ({previous} before)"),
            _ => shown,
        }
    }
}
