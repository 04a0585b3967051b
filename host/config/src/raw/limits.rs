//! The shape of `[limits]`, from the one table of limits.

use crate::limits::FIELDS;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Limits by name, as they are written.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LimitsTable(pub(crate) BTreeMap<String, Value>);

/// `[limits]` of `sopwith.toml`, which has a ceiling.
pub(super) struct HostLimits;

impl JsonSchema for LimitsTable {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        table(Map::new())
    }
}

impl JsonSchema for HostLimits {
    fn schema_name() -> Cow<'static, str> {
        "HostLimits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut ceiling = generator.subschema_for::<LimitsTable>();
        ceiling.insert(
            "description".to_owned(),
            "What a procedure may ask for at most; the limit of `[limits]` where it is left out.".into(),
        );
        table(Map::from_iter([("ceiling".to_owned(), ceiling.to_value())]))
    }
}

fn table(more: Map<String, Value>) -> Schema {
    let mut properties: Map<String, Value> = FIELDS
        .iter()
        .map(|field| (field.key.to_owned(), field.schema()))
        .collect();
    properties.extend(more);
    json_schema!({
        "type": "object",
        "description": "How much an attempt may use.",
        "properties": properties,
        "additionalProperties": false,
    })
}
