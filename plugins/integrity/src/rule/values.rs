//! Promises about the values of a column.

use super::{Statement, shown};
use crate::identifier::Identifier;
use sopwith::sql::Value;

/// A column that holds nothing but these values.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct AcceptedValues {
    /// The table.
    table: Identifier,
    /// Its column.
    column: Identifier,
    /// The values; a text is no number.
    #[schemars(length(min = 1, max = 1_000))]
    values: Vec<Scalar>,
}

/// A value that can be compared exactly.
#[sopwith::settings]
#[derive(Debug, Clone)]
#[serde(untagged)]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Text(String),
}

impl From<&Scalar> for Value {
    fn from(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Boolean(value) => Self::from(*value),
            Scalar::Integer(value) => Self::from(*value),
            Scalar::Text(text) => Self::from(text),
        }
    }
}

/// The rows with another value. A null is no value.
pub(super) fn accepted(rule: &AcceptedValues, key: Option<&Identifier>) -> Statement {
    let AcceptedValues {
        table,
        column,
        values,
    } = rule;
    let places = vec!["?"; values.len()].join(", ");
    let (shown, column) = (shown(key, std::slice::from_ref(column)), column.of("t"));
    Statement {
        // `NOT IN` is null, and so no row, where the column is. The `+` keeps the column from
        // turning a text into a number before it compares.
        sql: format!("SELECT {shown} FROM {table} AS t WHERE +{column} NOT IN ({places}) ORDER BY 1"),
        parameters: values.iter().map(Value::from).collect(),
    }
}
