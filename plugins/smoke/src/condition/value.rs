//! Values that are compared, each with its type: a text never equals a number.

use sopwith::jiff::SignedDuration;
use sopwith::serde_json::{Number, Value as Json};
use std::cmp::Ordering;

/// A value that was found or is expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Json(Json),
    Duration(SignedDuration),
}

/// What sort of value stands at a place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Duration,
    Boolean,
    Text,
    /// Whatever JSON can be.
    Json,
}

impl Kind {
    /// The kind with its article.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Duration => "a length of time such as `300ms` or `14d`",
            Self::Boolean => "`true` or `false`",
            Self::Text => "a text",
            Self::Json => "a value",
        }
    }
}

impl Value {
    /// Whether they are of one type and the same.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            // `1` and `1.0` are one number.
            (Self::Json(Json::Number(_)), Self::Json(Json::Number(_))) => {
                self.compare(other) == Some(Ordering::Equal)
            }
            _ => self == other,
        }
    }

    /// Which is larger, of two numbers or two lengths of time.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Json(Json::Number(one)), Self::Json(Json::Number(other))) => compare(one, other),
            (Self::Duration(one), Self::Duration(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    let signed = number.as_i64().map(i128::from);
    signed.or_else(|| number.as_u64().map(i128::from))
}
