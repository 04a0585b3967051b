//! The right side of a condition.

use super::look::Look;
use super::value::Value;
use sopwith::serde_json::Value as Json;
use wildmatch::WildMatch;

/// What is expected.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    /// This value.
    Value(Value),
    /// A text of this form.
    Pattern(WildMatch),
    /// One of these.
    Any(Vec<Expected>),
    /// What stands elsewhere in the answer.
    Look(Look),
}

impl Expected {
    /// Whether a value is what is expected; a place is known only when there is an answer.
    pub(super) fn is_met_by(&self, found: &Value) -> bool {
        match self {
            Self::Value(value) => value.equals(found),
            Self::Pattern(pattern) => match found {
                Value::Json(Json::String(text)) => pattern.matches(text),
                _ => false,
            },
            Self::Any(choices) => choices.iter().any(|choice| choice.is_met_by(found)),
            Self::Look(_) => false,
        }
    }
}
