//! Where in an answer a condition looks, and what it finds there.

use super::value::{Kind, Value};
use crate::answer::Answer;
use crate::shown;
use serde_json_path::JsonPath;
use sopwith::serde_json::Value as Json;

/// Where to look, and what to make of it.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// What to make of what stands there.
    pub(super) function: Function,
    /// Where it stands.
    pub(super) place: Place,
}

/// What a condition makes of what stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Takes it as it is.
    Itself,
    /// `len(…)`: counts items, members or characters.
    Length,
    /// `has(…)`: asks whether there is anything.
    Presence,
}

/// A place in an answer.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Status,
    ResponseTime,
    CertificateExpiration,
    Header(String),
    /// The body as text.
    Body,
    /// Something in a body of JSON.
    Json(Query),
}

/// A path into a body of JSON.
#[derive(Debug, Clone)]
pub(super) struct Query {
    path: JsonPath,
    /// Whether it leads to one value at most.
    pub(super) is_singular: bool,
}

impl Query {
    /// Reads a path that begins with `$`.
    pub(super) fn parse(path: &str) -> Result<Self, serde_json_path::ParseError> {
        // RFC 9535 admits singular queries alone to a comparison, and the library asks no other way.
        let comparison = path.strip_prefix('$').map(|rest| format!("$[?@{rest} == 0]"));
        Ok(Self {
            path: JsonPath::parse(path)?,
            is_singular: comparison.is_some_and(|text| JsonPath::parse(&text).is_ok()),
        })
    }
}

impl Look {
    /// What sort of value it finds.
    pub(super) fn kind(&self) -> Kind {
        match (self.function, &self.place) {
            (Function::Length, _) | (_, Place::Status) => Kind::Number,
            (Function::Presence, _) => Kind::Boolean,
            (_, Place::ResponseTime | Place::CertificateExpiration) => Kind::Duration,
            (_, Place::Header(_) | Place::Body) => Kind::Text,
            (_, Place::Json(_)) => Kind::Json,
        }
    }

    /// What an answer holds there, or why there is nothing.
    pub(super) fn find(&self, answer: &Answer<'_>) -> Result<Vec<Value>, String> {
        match self.function {
            Function::Itself => self.place.find(answer),
            Function::Length => self.length(answer).map(|length| vec![number(length)]),
            Function::Presence => {
                let is_there = self.place.is_there(answer)?;
                Ok(vec![Value::Json(Json::Bool(is_there))])
            }
        }
    }

    /// What was found, for people.
    pub(super) fn show(&self, found: &Result<Vec<Value>, String>) -> String {
        let text = match found {
            Err(reason) => return reason.clone(),
            Ok(values) => values.iter().map(|value| self.show_one(value)),
        };
        match text.collect::<Vec<_>>().join(", ") {
            nothing if nothing.is_empty() && self.kind() != Kind::Text => missing(),
            text => shown::cut(&text),
        }
    }

    fn show_one(&self, value: &Value) -> String {
        match value {
            Value::Duration(duration) => shown::duration(*duration),
            // What can be nothing but a text needs no quotes.
            Value::Json(Json::String(text)) if self.kind() == Kind::Text => text.clone(),
            Value::Json(json) => json.to_string(),
        }
    }

    fn length(&self, answer: &Answer<'_>) -> Result<usize, String> {
        let found = self.place.find(answer)?;
        match (&self.place, found.as_slice()) {
            // A path to several values counts them, even if there is only one this time.
            (Place::Json(query), found) if !query.is_singular => Ok(found.len()),
            (_, [Value::Json(Json::Array(items))]) => Ok(items.len()),
            (_, [Value::Json(Json::Object(members))]) => Ok(members.len()),
            (_, [Value::Json(Json::String(text))]) => Ok(text.chars().count()),
            (_, [Value::Json(other)]) => Err(format!("{other} has no length")),
            _ => Err(missing()),
        }
    }
}

impl Place {
    fn find(&self, answer: &Answer<'_>) -> Result<Vec<Value>, String> {
        let text = |text: String| vec![Value::Json(Json::String(text))];
        match self {
            Self::Status => Ok(vec![Value::Json(answer.status().into())]),
            Self::ResponseTime => Ok(vec![Value::Duration(answer.elapsed()?)]),
            Self::CertificateExpiration => Ok(vec![Value::Duration(answer.certificate_left()?)]),
            Self::Header(name) => answer.header(name).map(text).ok_or_else(missing),
            Self::Body => answer.text().map(text),
            Self::Json(query) => match query.path.query(answer.json()?).all() {
                found if found.is_empty() && query.is_singular => Err(missing()),
                found => Ok(found.into_iter().cloned().map(Value::Json).collect()),
            },
        }
    }

    fn is_there(&self, answer: &Answer<'_>) -> Result<bool, String> {
        match self {
            Self::Json(query) => Ok(!query.path.query(answer.json()?).is_empty()),
            other => Ok(other.find(answer).is_ok()),
        }
    }
}

fn number(count: usize) -> Value {
    Value::Json(Json::from(count))
}

/// The reason where there simply is no such thing.
pub(super) fn missing() -> String {
    "missing".to_owned()
}
