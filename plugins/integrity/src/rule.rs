//! Promises that need no SQL of the operator's: each makes the query for the rows that break it.

mod amounts;
mod columns;
mod count;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use amounts::{Balanced, SumMatches};
pub(crate) use columns::{Columns, References};
pub(crate) use count::RowCount;
pub(crate) use values::AcceptedValues;

use crate::identifier::Identifier;
use crate::settings::CheckSettings;
use sopwith::sql::Value;
use sopwith::{Error, Result};

/// A query for the rows that break a promise.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Value>,
}

impl From<String> for Statement {
    fn from(sql: String) -> Self {
        let parameters = Vec::new();
        Self { sql, parameters }
    }
}

/// The query of a check, which has exactly one rule.
pub(crate) fn statement(check: &CheckSettings) -> Result<Statement> {
    let key = check.key.as_ref();
    let rules = [
        check.query.clone().map(|sql| Ok(sql.into())),
        check.unique.as_ref().map(|rule| Ok(columns::unique(rule))),
        check
            .not_null
            .as_ref()
            .map(|rule| Ok(columns::not_null(rule, key))),
        check
            .accepted_values
            .as_ref()
            .map(|rule| Ok(values::accepted(rule, key))),
        check
            .references
            .as_ref()
            .map(|rule| Ok(columns::references(rule, key))),
        check.row_count.as_ref().map(count::rows),
        check
            .sum_matches
            .as_ref()
            .map(|rule| Ok(amounts::sum_matches(rule))),
        check.balanced.as_ref().map(|rule| Ok(amounts::balanced(rule))),
    ];
    let mut rules = rules.into_iter().flatten();
    match (rules.next(), rules.next()) {
        (Some(only), None) => only,
        (None, _) => Err(Error::invalid("there is no `query` and no rule such as `unique`")),
        (Some(_), Some(_)) => Err(Error::invalid("one check has one rule or one `query`")),
    }
}

/// These columns of the table that the query calls `t`, after the key where it is not one of them.
fn shown(key: Option<&Identifier>, columns: &[Identifier]) -> String {
    let key = key.filter(|key| !columns.contains(key));
    let shown = key.into_iter().chain(columns);
    let shown = shown.map(|column| format!("{} AS {column}", column.of("t")));
    shown.collect::<Vec<_>>().join(", ")
}

/// What SQL says of each column, with this between.
fn each(columns: &[Identifier], between: &str, condition: impl Fn(&Identifier) -> String) -> String {
    let conditions: Vec<_> = columns.iter().map(condition).collect();
    conditions.join(between)
}
