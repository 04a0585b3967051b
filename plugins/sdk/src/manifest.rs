//! What a plugin says of itself.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// What a plugin says of itself, as the host reads it.
#[derive(Debug, Serialize)]
pub struct Manifest {
    /// The plugin's own name, which is its package's.
    pub name: &'static str,
    /// The plugin's own version, which is its package's.
    pub version: &'static str,
    /// The first paragraph of the settings' documentation.
    pub summary: String,
    /// The JSON Schema of the settings.
    pub settings: Schema,
    /// What the plugin can do; the first one is the default.
    pub actions: Vec<ActionManifest>,
}

/// One thing that a plugin can do.
#[derive(Debug, Serialize)]
pub struct ActionManifest {
    /// The function's name, with `-` for `_`.
    pub name: &'static str,
    /// The first paragraph of the function's documentation.
    pub summary: &'static str,
    /// The JSON Schema of the inputs.
    pub inputs: Schema,
    /// The JSON Schema of the report's output.
    pub output: Schema,
    /// Whether it changes anything outside its own state.
    pub changes: bool,
    /// Whether a run that was cut off may simply be started again.
    pub idempotent: bool,
    /// What it asks for.
    pub capabilities: Vec<Capability>,
}

/// A permission that an action asks for.
#[derive(Debug, Clone, Serialize)]
pub struct Capability {
    /// What kind of resource.
    pub kind: &'static str,
    /// What it wants to do with it.
    pub access: &'static str,
    /// The `JSONPath` into the settings where the names are.
    pub from: &'static str,
    /// Whether the action is worth nothing without it.
    pub required: bool,
    /// One sentence for the operator who is asked to grant it.
    pub reason: &'static str,
}

/// The schema of what is read as `T`: one document that refers to nothing outside it.
pub(crate) fn schema_to_read<T: JsonSchema>() -> Schema {
    schema_of::<T>(SchemaSettings::draft2020_12())
}

/// The schema of what `T` is written as.
pub(crate) fn schema_to_write<T: JsonSchema>() -> Schema {
    schema_of::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn schema_of<T: JsonSchema>(mut settings: SchemaSettings) -> Schema {
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>()
}

/// The first paragraph of what a schema says of itself, on one line.
pub(crate) fn summary_of(schema: &Schema) -> String {
    let described = schema.get("description").and_then(|text| text.as_str());
    let paragraph = described.unwrap_or_default().split("\n\n").next();
    paragraph.unwrap_or_default().replace('\n', " ")
}
