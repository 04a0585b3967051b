//! Turns one error of the schema's validator into what an operator can act on.

use super::choice::{self, Misfit};
use super::{Fault, Noun, Violation, defaults, homes, nearest, words};
use crate::document::{Location, Part};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The longest value that a hint repeats.
const REWRITTEN_BYTES_MAX: usize = 80;

/// What one error of the validator means about this value.
pub(super) fn explain(
    error: &ValidationError<'_>,
    value: &Value,
    schema: &Value,
    noun: Noun,
) -> Vec<Violation> {
    let at = error.instance_path();
    if let Some(alternatives) = choice::alternatives(error) {
        return match choice::misfit(at.as_str(), alternatives) {
            Misfit::Kind(kinds) => vec![wrong_kind(error, &kinds, schema)],
            Misfit::Value(values) => vec![wrong_value(error, &values, &tables(error, schema))],
            Misfit::Alternative(errors) => errors
                .iter()
                .flat_map(|inner| explain(inner, value, schema, noun))
                .collect(),
        };
    }
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unknown(error, unexpected.iter(), schema, noun)
        }
        // What the validator makes of a table in which nothing may stand.
        ValidationErrorKind::FalseSchema
            if error.schema_path().as_str().ends_with("/additionalProperties") =>
        {
            let table = value.pointer(at.as_str()).and_then(Value::as_object);
            unknown(error, table.into_iter().flat_map(Map::keys), schema, noun)
        }
        ValidationErrorKind::Required { property } => {
            vec![missing(error, &words::written(property), noun, schema)]
        }
        ValidationErrorKind::Type { kind } => vec![wrong_kind(error, &words::kinds(kind), schema)],
        ValidationErrorKind::Constant { expected_value } => {
            vec![wrong_value(
                error,
                std::slice::from_ref(expected_value.as_ref()),
                &[],
            )]
        }
        ValidationErrorKind::Enum { options } => {
            vec![wrong_value(
                error,
                options.as_array().map_or(&[], Vec::as_slice),
                &[],
            )]
        }
        _ => vec![wrong(
            at,
            format!("`{}`: {error}", name_of(at)),
            example(error, schema),
        )],
    }
}

fn unknown<'k>(
    error: &ValidationError<'_>,
    keys: impl Iterator<Item = &'k String>,
    schema: &Value,
    noun: Noun,
) -> Vec<Violation> {
    let known = known_keys(error, schema);
    let one = |key: &String| {
        let known = known.iter().map(String::as_str);
        let near = || match noun {
            Noun::Input if known.len() == 0 => Some("this action takes none".to_owned()),
            Noun::Setting if known.len() == 0 => Some("nothing can be set here".to_owned()),
            _ => nearest::hint(key, known),
        };
        // The tables of a plugin's settings are alike; those of our files are not.
        let elsewhere = matches!(noun, Noun::Key).then(|| homes::hint(schema, key));
        let hint = elsewhere.flatten().or_else(near);
        Violation {
            part: Part::Key,
            ..wrong(
                &error.instance_path().join(key),
                format!("unknown {noun} `{key}`"),
                hint,
            )
        }
    };
    keys.map(one).collect()
}

fn missing(error: &ValidationError<'_>, key: &str, noun: Noun, schema: &Value) -> Violation {
    let owner = owner(error, schema);
    let property = owner.and_then(|owner| property(schema, owner, key));
    let hint = property.and_then(|property| example_of(key, property));
    Violation {
        fault: Fault::Missing,
        ..wrong(error.instance_path(), format!("missing {noun} `{key}`"), hint)
    }
}

fn wrong_kind(error: &ValidationError<'_>, kinds: &BTreeSet<&'static str>, schema: &Value) -> Violation {
    let at = error.instance_path();
    let (expected, found) = (words::either(kinds), words::found(error.instance()));
    let message = format!("`{}` has to be {expected}, found {found}", name_of(at));
    // A number in quotes is meant as it is; of anything else the example may say more.
    let meant = || rewritten(error, kinds).filter(|_| error.instance().is_string());
    let hint = meant()
        .or_else(|| example(error, schema))
        .or_else(|| rewritten(error, kinds));
    wrong(at, message, hint)
}

fn wrong_value(error: &ValidationError<'_>, values: &[Value], tables: &[String]) -> Violation {
    let written: Vec<String> = values.iter().map(words::written).collect();
    let right: Vec<&str> = written.iter().map(String::as_str).collect();
    let found = words::written(error.instance());
    let all: Vec<&str> = right
        .iter()
        .copied()
        .chain(tables.iter().map(String::as_str))
        .collect();
    let message = format!("`{found}` is not one of {}", nearest::list(&all));
    let near = nearest::hint(&found, right).filter(|hint| hint.starts_with("did"));
    wrong(error.instance_path(), message, near)
}

/// The tables with one key that would do as well, as they are written: `{ allow = … }`.
fn tables(error: &ValidationError<'_>, schema: &Value) -> Vec<String> {
    let alternatives = schema.pointer(error.schema_path().as_str());
    let alternatives = alternatives.and_then(Value::as_array).into_iter().flatten();
    let keys =
        alternatives.filter_map(
            |alternative| match alternative.get("required")?.as_array()?.as_slice() {
                [Value::String(key)] => Some(format!("{{ {key} = … }}")),
                _ => None,
            },
        );
    keys.collect()
}

fn wrong(at: &Location, message: String, hint: Option<String>) -> Violation {
    Violation {
        at: at.clone(),
        part: Part::Value,
        message,
        hint,
        fault: Fault::Wrong,
    }
}

/// The last name in a place, with the numbers after it: `allow[0]`.
fn name_of(at: &Location) -> String {
    let mut name = String::new();
    for segment in at {
        match segment {
            LocationSegment::Property(key) => name = key.into_owned(),
            LocationSegment::Index(index) => name = format!("{name}[{index}]"),
        }
    }
    if name.is_empty() {
        "the file".to_owned()
    } else {
        name
    }
}

/// The schema that the failed keyword belongs to.
fn owner<'s>(error: &ValidationError<'_>, schema: &'s Value) -> Option<&'s Value> {
    let (owner, _keyword) = error.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(owner)
}

fn property<'s>(root: &'s Value, owner: &'s Value, key: &str) -> Option<&'s Value> {
    let property = owner.get("properties")?.get(key)?;
    let reference = property.get("$ref").and_then(Value::as_str);
    let written_out = property.get("examples").is_some() || property.get("default").is_some();
    match reference.filter(|_| !written_out) {
        Some(reference) => defaults::resolve(root, reference),
        None => Some(property),
    }
}

/// A line that would be right, from the schema's examples or its default.
fn example(error: &ValidationError<'_>, schema: &Value) -> Option<String> {
    let last = error.instance_path().into_iter().last()?;
    let LocationSegment::Property(key) = last else {
        return None;
    };
    example_of(&key, owner(error, schema)?)
}

/// The line with the value that was found, written as the only kind that would do.
fn rewritten(error: &ValidationError<'_>, kinds: &BTreeSet<&'static str>) -> Option<String> {
    let LocationSegment::Property(key) = error.instance_path().into_iter().last()? else {
        return None;
    };
    let found = error.instance().as_ref();
    let as_text = words::written(found);
    let is_plain = !found.is_array() && !found.is_object() && as_text.len() <= REWRITTEN_BYTES_MAX;
    let is_clear = is_plain && kinds.len() == 1;
    let readings = [
        serde_json::from_str(&as_text).unwrap_or(Value::Null),
        Value::String(as_text),
        Value::Array(vec![found.clone()]),
    ];
    let mut readings = readings.into_iter().filter(|_| is_clear);
    let value = readings.find(|reading| kinds.contains(words::found(reading)))?;
    Some(format!("write it like:  {key} = {value}"))
}

fn example_of(key: &str, property: &Value) -> Option<String> {
    let first = property.get("examples").and_then(|examples| examples.get(0));
    let value = first.or_else(|| property.get("default"))?;
    // What is written on one line in JSON is so in TOML, but for tables.
    (!value.is_object() && !value.is_null()).then(|| format!("write it like:  {key} = {value}"))
}

fn known_keys(error: &ValidationError<'_>, schema: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if let Some(owner) = owner(error, schema) {
        collect_keys(schema, owner, 0, &mut keys);
    }
    keys
}

fn collect_keys(root: &Value, schema: &Value, depth: u32, keys: &mut BTreeSet<String>) {
    const DEPTH_MAX: u32 = 8;
    if depth > DEPTH_MAX {
        return;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    keys.extend(
        properties
            .into_iter()
            .flat_map(|properties| properties.keys().cloned()),
    );
    let lists = ["allOf", "anyOf", "oneOf"].map(|keyword| schema.get(keyword).and_then(Value::as_array));
    let referred = schema.get("$ref").and_then(Value::as_str);
    let referred = referred.and_then(|reference| defaults::resolve(root, reference));
    for inner in lists.into_iter().flatten().flatten().chain(referred) {
        collect_keys(root, inner, depth + 1, keys);
    }
}
