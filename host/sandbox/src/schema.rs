//! Measures a JSON Schema before anybody uses it.
//!
//! A schema is a program that others run: to check settings against it takes as many steps as it
//! has parts, written out in full, and a few lines can be written out to billions. So a schema is
//! walked here as whoever uses it would walk it, up to a bound.

use serde_json::{Map, Value};

/// Parts of one schema, written out in full.
const PARTS_MAX: usize = 100_000;
/// How deep the parts may lie in each other, once they are written out.
const DEPTH_MAX: usize = 100;
/// Patterns of all schemas of one plugin, and how long one may be. Each becomes a machine of up to a
/// mebibyte.
const PATTERNS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 256;

/// Keywords whose schemas are about the same value.
const SAME: [&str; 4] = ["if", "then", "else", "not"];
const SAME_IN_LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_BY_NAME: [&str; 1] = ["dependentSchemas"];
/// Keywords whose schemas are about something within the value.
const INNER: [&str; 8] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "items",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const INNER_IN_LIST: [&str; 2] = ["items", "prefixItems"];
const INNER_BY_NAME: [&str; 2] = ["patternProperties", "properties"];
/// Keywords that let a reference mean something else than the place that it names.
const MOVING: [&str; 6] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
];

/// Measures the schemas of one plugin.
#[derive(Default)]
pub(crate) struct Measure {
    patterns: usize,
}

impl Measure {
    /// Fails for a schema that is none, or that is too much for whoever uses it.
    pub(crate) fn check(&mut self, schema: &Value) -> Result<(), String> {
        let mut walk = Walk {
            root: schema,
            parts: 0,
            depth: 0,
            entered: Vec::new(),
        };
        walk.part(schema, 0)?;
        self.count_patterns(schema)
    }

    /// Counts what is written, since each is made into a machine once.
    fn count_patterns(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Object(fields) => {
                let pattern = fields.get("pattern").and_then(Value::as_str);
                let names = fields.get("patternProperties").and_then(Value::as_object);
                let names = names.into_iter().flat_map(Map::keys).map(String::as_str);
                for pattern in pattern.into_iter().chain(names) {
                    self.pattern(pattern)?;
                }
                fields.values().try_for_each(|inner| self.count_patterns(inner))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.count_patterns(item)),
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
        if pattern.len() > PATTERN_BYTES_MAX {
            let bytes = pattern.len();
            return Err(format!(
                "has a pattern of {bytes} bytes, and a pattern may have {PATTERN_BYTES_MAX}"
            ));
        }
        if self.patterns > PATTERNS_MAX {
            return Err(format!(
                "has one pattern too many; a plugin may have {PATTERNS_MAX}"
            ));
        }
        Ok(())
    }
}

/// A walk over a schema.
struct Walk<'a> {
    root: &'a Value,
    parts: usize,
    depth: usize,
    /// The places that a reference led to on the way here, each with the depth within the value.
    entered: Vec<(&'a str, usize)>,
}

impl<'a> Walk<'a> {
    /// `inner` is how deep within the value the part applies.
    fn part(&mut self, schema: &'a Value, inner: usize) -> Result<(), String> {
        let fields = match schema {
            Value::Object(fields) => fields,
            Value::Bool(_) => return Ok(()),
            _ => return Err("is not a JSON Schema".to_owned()),
        };
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(format!(
                "has more than {PARTS_MAX} parts once it is written out in full"
            ));
        }
        if self.depth >= DEPTH_MAX {
            return Err(format!("nests deeper than {DEPTH_MAX} levels"));
        }
        if let Some(keyword) = MOVING.iter().find(|keyword| fields.contains_key(**keyword)) {
            return Err(format!("uses `{keyword}`, which this host does not follow"));
        }
        self.depth += 1;
        self.same(fields, inner)?;
        self.inner(fields, inner)?;
        self.depth -= 1;
        Ok(())
    }

    fn same(&mut self, fields: &'a Map<String, Value>, inner: usize) -> Result<(), String> {
        if let Some(reference) = fields.get("$ref") {
            self.reference(reference, inner)?;
        }
        let alone = SAME.iter().filter_map(|keyword| fields.get(*keyword));
        let listed = SAME_IN_LIST
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_array());
        let named = SAME_BY_NAME
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_object());
        let parts = alone.chain(listed.flatten()).chain(named.flat_map(Map::values));
        parts.into_iter().try_for_each(|part| self.part(part, inner))
    }

    fn inner(&mut self, fields: &'a Map<String, Value>, inner: usize) -> Result<(), String> {
        let alone = INNER.iter().filter_map(|keyword| fields.get(*keyword));
        let listed = INNER_IN_LIST
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_array());
        let named = INNER_BY_NAME
            .iter()
            .filter_map(|keyword| fields.get(*keyword)?.as_object());
        for part in alone
            .filter(|part| !part.is_array())
            .chain(listed.flatten())
            .chain(named.flat_map(Map::values))
        {
            // A default is there without anybody writing it, so it leads no deeper into what is written.
            let is_made = part.get("default").is_some_and(Value::is_object);
            self.part(part, if is_made { inner } else { inner + 1 })?;
        }
        Ok(())
    }

    /// Follows a reference. One that leads back to a place on the way here ends there, as long as it
    /// is about something deeper in the value: values have an end.
    fn reference(&mut self, reference: &'a Value, inner: usize) -> Result<(), String> {
        let unknown = || Err(format!("refers to {reference}, which it does not define"));
        let Some(place) = reference.as_str().and_then(|text| text.strip_prefix('#')) else {
            return unknown();
        };
        let Some(target) = self.root.pointer(place) else {
            return unknown();
        };
        match self.entered.iter().rev().find(|(entered, _)| *entered == place) {
            Some((_, before)) if *before < inner => return Ok(()),
            Some(_) => return Err(format!("refers to itself without end at `#{place}`")),
            None => {}
        }
        self.entered.push((place, inner));
        let followed = self.part(target, inner);
        self.entered.pop();
        followed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: &Value, expected: &str) {
        let outcome = Measure::default().check(schema);
        let said = outcome.err().unwrap_or_else(|| "fine".to_owned());
        assert!(said.contains(expected), "{said}: {schema}");
    }

    /// Each definition names the next one twice, by these keywords.
    fn doubling(levels: usize, twice: impl Fn(Value) -> Value) -> Value {
        let name = |level: usize| json!({ "$ref": format!("#/$defs/{level}") });
        let mut definitions: Map<String, Value> = (0..levels)
            .map(|level| (level.to_string(), twice(name(level + 1))))
            .collect();
        definitions.insert(levels.to_string(), json!({ "type": "object" }));
        json!({ "$defs": definitions, "$ref": "#/$defs/0" })
    }

    #[test]
    fn schema_that_doubles_with_every_line_is_refused() {
        let all = |next: Value| json!({ "allOf": [next, next] });
        check(&doubling(10, all), "fine");
        check(&doubling(30, all), "has more than 100000 parts");
        let inner = |next: Value| json!({ "properties": { "a": next, "b": next } });
        check(&doubling(30, inner), "has more than 100000 parts");
    }

    #[test]
    fn schema_may_refer_to_itself_only_for_what_lies_deeper() {
        let tree = json!({ "$ref": "#/$defs/Node", "$defs": { "Node": { "properties": {
            "children": { "default": [], "items": { "$ref": "#/$defs/Node" } },
            "next": { "default": null, "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }] },
        } } } });
        check(&tree, "fine");
        check(&json!({ "$ref": "#" }), "refers to itself without end at `#`");
        let circle = json!({ "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } },
            "items": { "$ref": "#/$defs/a" } });
        check(&circle, "refers to itself without end");
        // Two of them in each other are made of nothing, and so on.
        let made = json!({ "$ref": "#/$defs/Node", "$defs": { "Node": { "properties": {
            "a": { "$ref": "#/$defs/Node", "default": {} }, "b": { "$ref": "#/$defs/Node", "default": {} },
        } } } });
        check(&made, "refers to itself without end");
    }

    #[test]
    fn what_is_no_schema_or_lies_elsewhere_is_refused() {
        check(&json!("x"), "is not a JSON Schema");
        check(&json!({ "properties": { "a": 1 } }), "is not a JSON Schema");
        check(
            &json!({ "$ref": "https://example.com/s" }),
            "which it does not define",
        );
        check(&json!({ "$ref": "#/$defs/none" }), "which it does not define");
        check(&json!({ "items": { "$id": "x" } }), "uses `$id`");
        let mut deep = json!({});
        for _ in 0..120 {
            deep = json!({ "items": deep });
        }
        check(&deep, "nests deeper than 100 levels");
    }

    #[test]
    fn patterns_are_short_and_few() {
        let many = |count: usize| {
            let properties: Map<_, _> = (0..count)
                .map(|i| (format!("^{i}"), json!({ "pattern": "x" })))
                .collect();
            json!({ "patternProperties": properties })
        };
        check(&many(50), "fine");
        check(&many(51), "one pattern too many");
        check(
            &json!({ "pattern": "x".repeat(257) }),
            "has a pattern of 257 bytes",
        );
    }
}
