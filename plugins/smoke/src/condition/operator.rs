//! How the two sides of a condition are compared.

use super::expected::Expected;
use super::value::Value;
use std::cmp::Ordering;
use std::fmt::{self, Display};

/// How the two sides of a condition are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// The longer ones first, since the others begin them.
const OPERATORS: [Operator; 6] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::LessOrEqual,
    Operator::GreaterOrEqual,
    Operator::Less,
    Operator::Greater,
];

impl Operator {
    /// The operator that a text begins with.
    pub(super) fn beginning(text: &str) -> Option<Self> {
        let mut operators = OPERATORS.into_iter();
        operators.find(|operator| text.starts_with(operator.as_str()))
    }

    /// As it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::Greater => ">",
        }
    }

    /// Whether it asks which of two is larger.
    pub(super) fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds between what was found and what was expected.
    pub(super) fn holds(self, found: &Value, expected: &Expected) -> bool {
        match self {
            Self::Equal => expected.is_met_by(found),
            Self::NotEqual => !expected.is_met_by(found),
            Self::LessOrEqual => compare(found, expected).is_some_and(Ordering::is_le),
            Self::GreaterOrEqual => compare(found, expected).is_some_and(Ordering::is_ge),
            Self::Less => compare(found, expected).is_some_and(Ordering::is_lt),
            Self::Greater => compare(found, expected).is_some_and(Ordering::is_gt),
        }
    }
}

fn compare(found: &Value, expected: &Expected) -> Option<Ordering> {
    match expected {
        Expected::Value(value) => found.compare(value),
        _ => None,
    }
}

impl Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
