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

    #[test]
    fn schemas_are_valid_and_know_no_null() {
        for schema in [host(), procedure()] {
            assert!(jsonschema::validator_for(&schema).is_ok());
            assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
        }
    }
}
