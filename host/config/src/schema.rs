//! The JSON Schemas of both files, for editors and for whoever checks files elsewhere.

use crate::raw::{HostFile, ProcedureFile, schema_of};
use serde_json::Value;

/// The JSON Schema of `sopwith.toml`.
pub fn host() -> Value {
    schema_of::<HostFile>()
}

/// The JSON Schema of a procedure's file; `[settings]` is left to the plugin's own schema.
pub fn procedure() -> Value {
    schema_of::<ProcedureFile>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every key that a schema knows.
    fn keys(schema: &Value, found: &mut BTreeSet<String>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        found.extend(
            properties
                .into_iter()
                .flat_map(|properties| properties.keys().cloned()),
        );
        match schema {
            Value::Object(parts) => parts.values().for_each(|part| keys(part, found)),
            Value::Array(parts) => parts.iter().for_each(|part| keys(part, found)),
            _ => {}
        }
    }

    #[test]
    fn the_configuration_of_the_repository_shows_every_key() {
        let text = include_str!("../../../config/sopwith.toml");
        let is_shown = |key: &String| {
            let lines = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
            let mut places = lines.map(|line| (line.strip_prefix(key.as_str()), line));
            places.any(|(rest, line)| {
                rest.is_some_and(|rest| rest.starts_with(" ="))
                    || line.starts_with(&format!("[{key}"))
                    || line.contains(&format!(".{key}]"))
                    || line.contains(&format!("{{ {key} ="))
                    || line.contains(&format!("`{key} = "))
            })
        };
        let mut known = BTreeSet::new();
        keys(&host(), &mut known);
        let hidden: Vec<_> = known.iter().filter(|key| !is_shown(key)).collect();
        assert!(
            known.len() > 40 && hidden.is_empty(),
            "{hidden:?} of {}",
            known.len()
        );
    }

    #[test]
    fn schemas_are_valid_and_know_no_null() {
        for schema in [host(), procedure()] {
            assert!(jsonschema::validator_for(&schema).is_ok());
            assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
        }
    }
}
