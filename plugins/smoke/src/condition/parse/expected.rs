//! Reads the right side of a condition.

use super::look;
use crate::condition::Fault;
use crate::condition::expected::Expected;
use crate::condition::look::{Function, Place};
use crate::condition::operator::Operator;
use crate::condition::text::Part;
use crate::condition::value::{Kind, Value};
use sopwith::jiff::{SignedDuration, Span, SpanRelativeTo};
use sopwith::serde_json::{self, Value as Json};
use wildmatch::WildMatch;

/// Reads what is expected where a look finds values of this kind.
pub(super) fn read(part: Part<'_>, kind: Kind, operator: Operator) -> Result<Expected, Fault> {
    if part.text.starts_with('[') || part.call("len").or(part.call("has")).is_some() {
        return elsewhere(part, kind);
    }
    let choice = if let Some(inner) = part.call("any") {
        let choices = inner
            .split_at_commas()
            .into_iter()
            .map(|choice| one(choice, kind));
        Expected::Any(choices.collect::<Result<_, _>>()?)
    } else {
        one(part, kind)?
    };
    match &choice {
        Expected::Value(Value::Duration(_) | Value::Json(Json::Number(_))) => Ok(choice),
        _ if !operator.orders() => Ok(choice),
        Expected::Value(_) => Err(part.fault(format!(
            "`{operator}` compares numbers and lengths of time, and this is neither"
        ))),
        _ => Err(part.fault(format!(
            "`{operator}` compares with one value; `==` and `!=` take patterns and choices"
        ))),
    }
}

/// What stands elsewhere in the answer is known only when it is there, its kind before.
fn elsewhere(part: Part<'_>, kind: Kind) -> Result<Expected, Fault> {
    let look = look::read(part)?;
    let is_several = matches!(&look.place, Place::Json(query) if !query.is_singular);
    if is_several && look.function == Function::Itself {
        return Err(part.fault("the right side is one value, and this path leads to several"));
    }
    if look.kind() != kind && look.kind() != Kind::Json && kind != Kind::Json {
        return Err(part.fault(format!(
            "expected {}, and this is {}",
            kind.as_str(),
            look.kind().as_str()
        )));
    }
    Ok(Expected::Look(look))
}

fn one(part: Part<'_>, kind: Kind) -> Result<Expected, Fault> {
    match part.call("pat") {
        Some(_) if !matches!(kind, Kind::Text | Kind::Json) => {
            Err(part.fault(format!("expected {}; `pat` is for texts", kind.as_str())))
        }
        Some(inner) => Ok(Expected::Pattern(WildMatch::new(&word(inner)?.text))),
        None => literal(part, kind).map(Expected::Value),
    }
}

fn literal(part: Part<'_>, kind: Kind) -> Result<Value, Fault> {
    let word = word(part)?;
    let wrong = || part.fault(format!("expected {}", kind.as_str()));
    let text = word.text.as_str();
    let value = match kind {
        Kind::Text => Json::String(word.text),
        Kind::Json if word.is_quoted => Json::String(word.text),
        Kind::Json => scalar(text).unwrap_or_else(|| Json::from(text)),
        _ if word.is_quoted => return Err(wrong()),
        Kind::Number => scalar(text).filter(Json::is_number).ok_or_else(wrong)?,
        Kind::Boolean => scalar(text).filter(Json::is_boolean).ok_or_else(wrong)?,
        Kind::Duration => return duration(text).map(Value::Duration).ok_or_else(wrong),
    };
    Ok(Value::Json(value))
}

struct Word {
    text: String,
    is_quoted: bool,
}

/// A text in quotes, or one that needs none.
fn word(part: Part<'_>) -> Result<Word, Fault> {
    let text = match part.text.chars().next() {
        None => return Err(part.fault("expected a value")),
        Some('"') => serde_json::from_str(part.text).ok(),
        Some('\'') => part
            .after("'")
            .and_then(|rest| rest.before("'"))
            .map(|inner| inner.text.to_owned()),
        Some(_) => {
            let (text, is_quoted) = (part.text.to_owned(), false);
            return Ok(Word { text, is_quoted });
        }
    };
    let text = text.ok_or_else(|| part.fault("these quotes have no end, or something follows it"))?;
    Ok(Word {
        text,
        is_quoted: true,
    })
}

/// A number, `true`, `false` or `null`, as JSON writes them.
fn scalar(text: &str) -> Option<Json> {
    let value: Json = serde_json::from_str(text).ok()?;
    (!value.is_object() && !value.is_array() && !value.is_string()).then_some(value)
}

fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}
