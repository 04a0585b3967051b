//! What an operator writes in a procedure's file.

use crate::identifier::Identifier;
use crate::rule::{AcceptedValues, Balanced, Columns, References, RowCount, SumMatches};
use sopwith::sql::{Database, Depth};
use sopwith::{Duration, Severity};

/// Checks that the rows of a database keep their promises.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The database that is checked.
    pub(crate) database: Database,
    /// How thoroughly the engine checks its own pages, indices and foreign keys: `quick`, `full`
    /// or `off`.
    #[serde(default)]
    pub(crate) engine: Engine,
    /// How long one query may take.
    #[serde(default = "one_minute")]
    pub(crate) statement_timeout: Duration,
    /// How many offending rows a check shows.
    #[serde(default = "five")]
    #[schemars(range(max = 100))]
    pub(crate) sample: u32,
    /// Columns whose values are not shown by any check.
    #[serde(default)]
    pub(crate) redact: Vec<String>,
    /// How many offending rows are counted; of more it is said that there are at least so many.
    #[serde(default = "ten_thousand")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) rows_max: u32,
    /// What is checked, in this order.
    #[serde(default)]
    pub(crate) checks: Vec<CheckSettings>,
}

/// One promise: a query that returns the rows that break it, or a rule that makes the query.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct CheckSettings {
    /// What the check is called in findings and reports; unique in the procedure.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9._-]*$"))]
    pub(crate) name: String,
    /// A query that returns the offending rows.
    #[serde(default)]
    pub(crate) query: Option<String>,
    /// Columns that together have no value twice.
    #[serde(default)]
    pub(crate) unique: Option<Columns>,
    /// Columns that are never null.
    #[serde(default)]
    pub(crate) not_null: Option<Columns>,
    /// A column that holds nothing but these values.
    #[serde(default)]
    pub(crate) accepted_values: Option<AcceptedValues>,
    /// A column whose values stand in another table.
    #[serde(default)]
    pub(crate) references: Option<References>,
    /// A table that has so many rows.
    #[serde(default)]
    pub(crate) row_count: Option<RowCount>,
    /// A total that is the sum of its lines.
    #[serde(default)]
    pub(crate) sum_matches: Option<SumMatches>,
    /// Entries whose debits are their credits.
    #[serde(default)]
    pub(crate) balanced: Option<Balanced>,
    /// The column that says which thing a row is about; each such thing is a finding of its own.
    #[serde(default)]
    pub(crate) key: Option<Identifier>,
    /// How bad it is when the check fails: `high` and `critical` make the run critical, the
    /// others a warning.
    #[serde(default = "high")]
    pub(crate) severity: Severity,
    /// The number of offending rows that is a warning, such as `> 0`.
    #[serde(default)]
    pub(crate) warn_if: Option<String>,
    /// The number of offending rows that fails the check; `> 0` where neither is set.
    #[serde(default)]
    pub(crate) error_if: Option<String>,
    /// What a person does about an offending row.
    #[serde(default)]
    pub(crate) fix: Option<String>,
    /// How many offending rows this check shows, where it is not as many as the others.
    #[serde(default)]
    #[schemars(range(max = 100))]
    pub(crate) sample: Option<u32>,
    /// Further columns whose values are not shown.
    #[serde(default)]
    pub(crate) redact: Vec<String>,
}

/// How thoroughly the engine checks itself.
#[sopwith::settings]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    #[default]
    Quick,
    Full,
    Off,
}

impl Engine {
    /// The depth for the host, if it is to check at all.
    pub(crate) fn depth(self) -> Option<Depth> {
        match self {
            Self::Quick => Some(Depth::Quick),
            Self::Full => Some(Depth::Full),
            Self::Off => None,
        }
    }
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}

fn five() -> u32 {
    5
}

fn ten_thousand() -> u32 {
    10_000
}

fn high() -> Severity {
    Severity::High
}
