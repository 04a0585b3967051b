//! Fills in the defaults that a JSON Schema states.

use serde_json::{Map, Value};

/// Schemas that refer to themselves end somewhere.
const DEPTH_MAX: u32 = 32;

/// The value with every default that the schema states for what is missing.
pub(crate) fn fill(schema: &Value, value: Value) -> Value {
    filled(schema, schema, value, 0)
}

fn filled(root: &Value, schema: &Value, value: Value, depth: u32) -> Value {
    if depth > DEPTH_MAX {
        return value;
    }
    let mut value = value;
    for part in parts(root, schema) {
        value = filled(root, part, value, depth + 1);
    }
    match value {
        Value::Object(object) => Value::Object(filled_object(root, schema, object, depth)),
        Value::Array(items) => match schema.get("items") {
            Some(inner) => items
                .into_iter()
                .map(|item| filled(root, inner, item, depth + 1))
                .collect(),
            None => Value::Array(items),
        },
        plain => plain,
    }
}

/// The schemas that hold for the same value: `$ref`, `allOf`, and the only choice beside `null`.
fn parts<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let list = |keyword| {
        schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let referred = schema.get("$ref").and_then(|text| resolve(root, text.as_str()?));
    let choices: Vec<_> = list("anyOf")
        .chain(list("oneOf"))
        .filter(|choice| choice.get("type").is_none_or(|kind| kind != "null"))
        .collect();
    let only = (choices.len() == 1).then(|| choices[0]);
    referred.into_iter().chain(list("allOf")).chain(only).collect()
}

/// The schema that a `$ref` into the same document means.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

fn filled_object(root: &Value, schema: &Value, object: Map<String, Value>, depth: u32) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut object: Map<String, Value> = object
        .into_iter()
        .map(|(key, value)| {
            let inner = properties
                .and_then(|properties| properties.get(&key))
                .or_else(|| schema.get("additionalProperties"));
            let value = match inner {
                Some(inner) => filled(root, inner, value, depth + 1),
                None => value,
            };
            (key, value)
        })
        .collect();
    for (key, inner) in properties.into_iter().flatten() {
        if let Some(default) = inner.get("default").filter(|_| !object.contains_key(key)) {
            object.insert(key.clone(), filled(root, inner, default.clone(), depth + 1));
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_filled_in_at_every_depth() {
        let schema = json!({
            "$defs": { "Keep": { "properties": { "daily": { "default": 14 }, "monthly": {} } } },
            "properties": {
                "name": { "default": "x" },
                "keep": { "anyOf": [{ "$ref": "#/$defs/Keep" }, { "type": "null" }] },
                "checks": { "items": { "properties": { "status": { "default": 200 } } } },
                "sizes": { "additionalProperties": { "$ref": "#/$defs/Keep" } },
            },
        });
        let value =
            json!({ "keep": { "monthly": 6 }, "checks": [{}, { "status": 404 }], "sizes": { "a": {} } });
        let expected = json!({
            "name": "x",
            "keep": { "daily": 14, "monthly": 6 },
            "checks": [{ "status": 200 }, { "status": 404 }],
            "sizes": { "a": { "daily": 14 } },
        });
        assert_eq!(fill(&schema, value), expected);
    }
}
