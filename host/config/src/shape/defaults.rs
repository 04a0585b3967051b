//! Fills in the defaults that a JSON Schema states.

use serde_json::{Map, Value};

/// Schemas that refer to themselves end somewhere.
const DEPTH_MAX: u32 = 32;
/// What a schema of some lines fills in can grow with each level that it refers to itself.
const STEPS_MAX: usize = 100_000;
/// So much of a default counts as one step.
const STEP_BYTES: usize = 64;

/// The value with every default that the schema states for what is missing; fails if that would be too much.
pub(crate) fn fill(schema: &Value, value: Value) -> Result<Value, String> {
    let mut filling = Filling {
        root: schema,
        steps: 0,
    };
    filling.filled(schema, value, 0)
}

struct Filling<'a> {
    root: &'a Value,
    steps: usize,
}

impl Filling<'_> {
    fn filled(&mut self, schema: &Value, value: Value, depth: u32) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Ok(value);
        }
        self.step(1)?;
        let mut value = value;
        for part in parts(self.root, schema) {
            value = self.filled(part, value, depth + 1)?;
        }
        Ok(match value {
            Value::Object(object) => Value::Object(self.filled_object(schema, object, depth)?),
            Value::Array(items) => match schema.get("items") {
                Some(inner) => {
                    let items = items.into_iter().map(|item| self.filled(inner, item, depth + 1));
                    Value::Array(items.collect::<Result<_, _>>()?)
                }
                None => Value::Array(items),
            },
            plain => plain,
        })
    }

    fn filled_object(
        &mut self,
        schema: &Value,
        object: Map<String, Value>,
        depth: u32,
    ) -> Result<Map<String, Value>, String> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut filled = Map::new();
        for (key, value) in object {
            let inner = properties
                .and_then(|properties| properties.get(&key))
                .or_else(|| schema.get("additionalProperties"));
            let value = match inner {
                Some(inner) => self.filled(inner, value, depth + 1)?,
                None => value,
            };
            filled.insert(key, value);
        }
        for (key, inner) in properties.into_iter().flatten() {
            if let Some(default) = inner.get("default").filter(|_| !filled.contains_key(key)) {
                self.step(default.to_string().len() / STEP_BYTES)?;
                let default = self.filled(inner, default.clone(), depth + 1)?;
                filled.insert(key.clone(), default);
            }
        }
        Ok(filled)
    }

    fn step(&mut self, steps: usize) -> Result<(), String> {
        self.steps += steps;
        if self.steps > STEPS_MAX {
            return Err(format!(
                "it takes more than {STEPS_MAX} steps to fill in its defaults"
            ));
        }
        Ok(())
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
        assert_eq!(fill(&schema, value), Ok(expected));
    }

    #[test]
    fn defaults_that_grow_without_bound_are_too_much() {
        let again = json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }], "default": {} });
        let schema = json!({ "properties": { "a": again, "b": again, "c": again } });
        assert!(fill(&schema, json!({})).is_err());
        let large = json!({ "default": "x".repeat(1 << 20) });
        let items = json!({ "items": { "properties": { "a": large } } });
        assert!(fill(&items, Value::Array(vec![json!({}); 10])).is_err());
        assert!(fill(&items, json!([{}])).is_ok());
    }
}
