//! Refuses references between the parts of a schema that not everybody follows to the same part.
//!
//! The validator knows anchors, identifiers and more. Who counts the steps of a check, and who fills in defaults, has
//! to arrive where it does, so only what all of them read in one way is allowed: `#` and `#/…`.

use super::defaults::resolve;
use serde_json::Value;

/// Keywords that change what a reference means, or are another kind of one.
const OTHERS: [&str; 5] = ["$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "id"];
/// Keywords whose values are no schemas, whatever they look like.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Fails at the first reference of another kind, or that leads nowhere.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    check_part(schema, schema)
}

fn check_part(root: &Value, part: &Value) -> Result<(), String> {
    match part {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    _ if DATA.contains(&name.as_str()) => {}
                    // A property of such a name has a schema.
                    Value::String(text) => check_keyword(root, part, name, text)?,
                    inner => check_part(root, inner)?,
                }
            }
            Ok(())
        }
        Value::Array(parts) => parts.iter().try_for_each(|inner| check_part(root, inner)),
        _ => Ok(()),
    }
}

fn check_keyword(root: &Value, part: &Value, name: &str, text: &str) -> Result<(), String> {
    match name {
        "$ref" if !leads_to_schema(root, text) => {
            let wanted = "has to lead to a part of the schema itself, like `#/$defs/Name`";
            Err(format!("`$ref` is `{text}`, and {wanted}"))
        }
        "$id" if !std::ptr::eq(root, part) => Err("`$id` stands elsewhere than at the top".to_owned()),
        other if OTHERS.contains(&other) => Err(format!("`{other}` is not supported; use `$ref`")),
        _ => Ok(()),
    }
}

fn leads_to_schema(root: &Value, reference: &str) -> bool {
    let mut names = reference.split('/');
    !reference.contains('%') && !names.any(|name| DATA.contains(&name)) && resolve(root, reference).is_some()
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::{Value, json};

    #[test]
    fn only_pointers_into_the_schema_itself_are_followed() {
        let good = |part: Value| {
            let schema = json!({ "$id": "https://clinic.example/x", "$defs": { "A": {} }, "items": part });
            check(&schema)
        };
        for part in [
            json!({ "$ref": "#" }),
            json!({ "$ref": "#/$defs/A" }),
            json!({ "properties": { "$ref": { "type": "string" }, "id": {}, "$anchor": true } }),
            json!({ "default": { "$ref": "x", "id": "x" }, "enum": [{ "$id": "x" }] }),
        ] {
            assert_eq!(good(part.clone()), Ok(()), "{part}");
        }
        for part in [
            json!({ "$ref": "#A" }),
            json!({ "$ref": "#/$defs/B" }),
            json!({ "$ref": "#/%24defs/A" }),
            json!({ "default": { "a": {} }, "$ref": "#/items/default/a" }),
            json!({ "$ref": "A" }),
            json!({ "$ref": "https://clinic.example/x#/$defs/A" }),
            json!({ "$id": "A" }),
            json!({ "allOf": [{ "$anchor": "A" }] }),
            json!({ "$dynamicRef": "#" }),
        ] {
            assert!(good(part.clone()).is_err(), "{part}");
        }
    }
}
