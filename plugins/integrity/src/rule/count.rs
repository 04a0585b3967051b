//! Promises about the number of rows.

use super::Statement;
use crate::identifier::Identifier;
use sopwith::sql::Value;
use sopwith::{Error, Result};

/// How many rows a table has.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct RowCount {
    /// The table.
    table: Identifier,
    /// At least so many.
    #[serde(default)]
    #[schemars(range(min = 0))]
    min: Option<i64>,
    /// At most so many.
    #[serde(default)]
    #[schemars(range(min = 0))]
    max: Option<i64>,
}

/// One row with the number of rows where it is out of bounds.
pub(super) fn rows(rule: &RowCount) -> Result<Statement> {
    let bounds = [("<", rule.min), (">", rule.max)];
    let bounds: Vec<_> = bounds
        .into_iter()
        .filter_map(|(sign, bound)| Some((sign, bound?)))
        .collect();
    if bounds.is_empty() {
        return Err(Error::invalid("`row_count` needs `min`, `max` or both"));
    }
    let outside: Vec<_> = bounds
        .iter()
        .map(|(sign, _)| format!("c.\"rows\" {sign} ?"))
        .collect();
    Ok(Statement {
        sql: format!(
            "SELECT c.\"rows\" AS \"rows\" FROM (SELECT count(*) AS \"rows\" FROM {}) AS c WHERE {}",
            rule.table,
            outside.join(" OR ")
        ),
        parameters: bounds.into_iter().map(|(_, bound)| Value::from(bound)).collect(),
    })
}
