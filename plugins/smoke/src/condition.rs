//! One line that must hold of an answer: `[BODY].status == ok`.

mod expected;
mod fault;
mod look;
mod operator;
mod parse;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub(crate) use fault::Fault;

use crate::answer::Answer;
use expected::Expected;
use look::Look;
use operator::Operator;
use std::str::FromStr;
use value::Value;

/// What must hold of an answer.
#[derive(Debug)]
pub(crate) struct Condition {
    text: String,
    left: Side<Look>,
    operator: Operator,
    right: Side<Expected>,
}

/// One side of a condition, and how it was written.
#[derive(Debug)]
struct Side<T> {
    written: String,
    meaning: T,
}

/// Whether a condition holds of an answer, and what was found there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    /// Whether it holds.
    pub(crate) holds: bool,
    /// The condition with the values found: `[STATUS] (500) == 200`.
    pub(crate) shown: String,
}

impl FromStr for Condition {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        parse::condition(text)
    }
}

impl Condition {
    /// The condition as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Looks whether it holds; what is missing never does.
    pub(crate) fn evaluate(&self, answer: &Answer<'_>) -> Evaluation {
        let left = &self.left.meaning;
        let found = left.find(answer);
        let (expected, right) = self.expected(answer);
        let holds = match (&found, &expected) {
            (Ok(found), Ok(expected)) => self.holds(found, expected),
            _ => false,
        };
        let left = format!("{} ({})", self.left.written, left.show(&found));
        let shown = format!("{left} {} {right}", self.operator);
        Evaluation { holds, shown }
    }

    fn holds(&self, found: &[Value], expected: &Expected) -> bool {
        // Of several places, each must be as it should; none at all is a missing one.
        !found.is_empty() && found.iter().all(|value| self.operator.holds(value, expected))
    }

    /// What the right side is for this answer, and how it is shown.
    fn expected(&self, answer: &Answer<'_>) -> (Result<Expected, String>, String) {
        let written = &self.right.written;
        match &self.right.meaning {
            Expected::Look(look) => {
                let found = look.find(answer);
                let shown = format!("{written} ({})", look.show(&found));
                let value = found.and_then(|values| values.into_iter().next().ok_or_else(look::missing));
                (value.map(Expected::Value), shown)
            }
            literal => (Ok(literal.clone()), written.clone()),
        }
    }
}
