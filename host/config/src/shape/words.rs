//! The operator's words for the kinds of values.

use super::Noun;
use jsonschema::error::TypeKind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Setting => "setting",
            Self::Input => "input",
        })
    }
}

/// What kind of value was found.
pub(super) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}

/// What kinds of value would do; `null` cannot be written in TOML.
pub(super) fn kinds(kind: &TypeKind) -> BTreeSet<&'static str> {
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
    };
    names.iter().filter_map(|name| kind_of(name)).collect()
}

fn kind_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "an array",
        "object" => "a table",
        _ => return None,
    })
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(choices: &BTreeSet<&'static str>) -> String {
    let choices: Vec<_> = choices.iter().copied().collect();
    match choices.as_slice() {
        [] => "left out".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value as it would be written in a file.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
