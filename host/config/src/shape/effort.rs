//! Counts the steps that it takes to check a value against a schema, before anybody takes them.
//!
//! Who checks does not stop half-way, and a schema of some lines can ask the same of a value a
//! billion times. What is counted here is what a check does that leaves nothing out.

use super::defaults;
use serde_json::{Map, Value};

/// Some settings with a hundred entries take some thousand steps, and a step takes a microsecond.
const STEPS_MAX: u32 = 1_000_000;
/// How deep parts of schemas and of values may lie in each other.
const DEPTH_MAX: u32 = 200;

const SAME: [&str; 4] = ["if", "then", "else", "not"];
const SAME_IN_LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_IN_TABLE: [&str; 2] = ["dependencies", "dependentSchemas"];
const UNEVALUATED: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];
const OF_ENTRIES: [&str; 3] = ["additionalProperties", "unevaluatedProperties", "propertyNames"];
const OF_ITEMS: [&str; 4] = ["items", "additionalItems", "unevaluatedItems", "contains"];

/// Fails if a check would take too many steps.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let mut count = Count {
        root: schema,
        steps: 0,
        depth: 0,
    };
    count.part(schema, value)
}

struct Count<'a> {
    root: &'a Value,
    steps: u32,
    depth: u32,
}

impl Count<'_> {
    fn part(&mut self, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(fields) = schema else {
            return Ok(());
        };
        self.steps += 1;
        self.depth += 1;
        if self.steps > STEPS_MAX || self.depth > DEPTH_MAX {
            return Err(format!("it takes more than {STEPS_MAX} steps to check this"));
        }
        self.same(fields, value)?;
        // To know what is left over, all of it is asked once more, and what lies in it marks its own part of
        // that, which comes to less than a third time.
        if UNEVALUATED.iter().any(|keyword| fields.contains_key(*keyword)) {
            self.same(fields, value)?;
            self.same(fields, value)?;
        }
        match value {
            Value::Object(entries) => self.entries(fields, entries)?,
            Value::Array(items) => self.items(fields, items)?,
            _ => {}
        }
        self.depth -= 1;
        Ok(())
    }

    fn same(&mut self, fields: &Map<String, Value>, value: &Value) -> Result<(), String> {
        let referred = fields.get("$ref").and_then(Value::as_str);
        if let Some(target) = referred.and_then(|reference| defaults::resolve(self.root, reference)) {
            self.part(target, value)?;
        }
        for part in SAME.iter().filter_map(|keyword| fields.get(*keyword)) {
            self.part(part, value)?;
        }
        let lists = SAME_IN_LIST
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_array());
        for part in lists.flatten() {
            self.part(part, value)?;
        }
        let tables = SAME_IN_TABLE
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_object());
        for part in tables.flat_map(Map::values) {
            self.part(part, value)?;
        }
        Ok(())
    }

    fn entries(&mut self, fields: &Map<String, Value>, entries: &Map<String, Value>) -> Result<(), String> {
        let table = |keyword| fields.get(keyword).and_then(Value::as_object);
        for (name, entry) in entries {
            let named = table("properties").and_then(|properties| properties.get(name));
            let patterns = table("patternProperties").into_iter().flat_map(Map::values);
            let others = OF_ENTRIES.iter().filter_map(|keyword| fields.get(*keyword));
            for part in named.into_iter().chain(patterns).chain(others) {
                self.part(part, entry)?;
            }
        }
        Ok(())
    }

    fn items(&mut self, fields: &Map<String, Value>, items: &[Value]) -> Result<(), String> {
        let list = |keyword| fields.get(keyword).and_then(Value::as_array);
        for (place, item) in items.iter().enumerate() {
            let placed = ["prefixItems", "items"].map(|keyword| list(keyword)?.get(place));
            let others = OF_ITEMS.iter().filter_map(|keyword| fields.get(*keyword));
            for part in placed.into_iter().flatten().chain(others) {
                self.part(part, item)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A tree whose every part is asked the same twice.
    fn twice() -> Value {
        json!({ "$ref": "#/$defs/Node", "$defs": { "Node": { "properties": { "next": {
            "allOf": [{ "$ref": "#/$defs/Node" }, { "$ref": "#/$defs/Node" }],
        } } } } })
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!({}), |inner, _| json!({ "next": inner }))
    }

    #[test]
    fn steps_are_those_of_the_value_at_hand() {
        assert!(check(&twice(), &nested(10)).is_ok());
        let said = check(&twice(), &nested(40)).expect_err("two to the power of forty");
        assert!(said.contains("more than 1000000 steps"), "{said}");
        let endless = json!({ "anyOf": [{ "$ref": "#" }] });
        assert!(check(&endless, &json!(1)).is_err());
        let list = json!({ "items": { "properties": { "a": { "type": "integer" } } } });
        let value = Value::Array(vec![json!({ "a": 1 }); 10_000]);
        assert!(check(&list, &value).is_ok());
    }

    /// Forty schemas, each of which asks the next one what this part says in the place of `next`.
    fn chain(part: &Value) -> Value {
        let levels = (0..40).map(|level| {
            let next = format!("\"#/$defs/{}\"", level + 1);
            let text = part.to_string().replace("\"next\"", &next);
            (level.to_string(), serde_json::from_str(&text).expect("a schema"))
        });
        let last = ("40".to_owned(), json!({ "type": "object" }));
        let all: Map<String, Value> = levels.chain([last]).collect();
        json!({ "$ref": "#/$defs/0", "$defs": all })
    }

    #[test]
    fn what_is_asked_twice_at_each_level_is_too_much() {
        let next = || json!({ "$ref": "next" });
        for part in [
            json!({ "allOf": [next(), next()] }),
            json!({ "if": next(), "then": next() }),
            json!({ "dependentSchemas": { "a": next(), "b": next() } }),
            json!({ "dependencies": { "a": next(), "b": next() } }),
            json!({ "anyOf": [next()], "unevaluatedProperties": false }),
            json!({ "oneOf": [next()], "unevaluatedItems": false }),
        ] {
            assert!(check(&chain(&part), &json!({ "a": 1 })).is_err(), "{part}");
        }
        assert!(check(&chain(&next()), &json!({ "a": 1 })).is_ok());
    }
}
