//! The shapes of both files as an operator writes them; each JSON Schema comes from here.
//!
//! Every entry is optional to serde, since an entry that breaks the schema is told and left out.
//! What has to be there says so in the schema.

mod audit;
mod command;
mod gate;
mod grants;
mod history;
mod host;
mod limits;
mod policy;
mod procedure;
mod secret;

pub(crate) use audit::Anchor;
pub(crate) use command::{Blank, BlankKind, Command, Effects};
pub(crate) use gate::Gate;
pub(crate) use grants::{DatabaseAccess, DatabaseGrant, DirectoryAccess, Grants};
pub(crate) use history::History;
pub(crate) use host::{Egress, HostFile, Plugins};
pub(crate) use limits::LimitsTable;
pub(crate) use policy::{After, AfterOn, CatchUp, Outside, Overlap, Span};
pub(crate) use procedure::{ProcedureFile, Retry, RetryOn, Schedule};
pub(crate) use secret::{Secret, SecretStore};

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location};
use crate::shape::{Noun, Shape};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The JSON Schema of a file of this shape.
pub(crate) fn schema_of<File: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<File>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
}

/// TOML has no `null`; an entry that may be left out is not one that may be null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        schema.ensure_object().extend(only);
    }
}

/// Checks a document against its schema, fills in what stands for something else, and reads all
/// of it that has the right shape.
pub(crate) fn read<File: DeserializeOwned + Default>(
    shape: &Shape,
    document: &Document,
    fill: impl FnOnce(&mut Value, &mut Vec<Diagnostic>),
    diagnostics: &mut Vec<Diagnostic>,
) -> File {
    let mut value = document.value.clone();
    let violations = shape.violations(&value);
    for violation in &violations {
        violation.prune(&mut value);
    }
    let root = Location::new();
    let reliable = violations.iter().filter(|one| one.is_reliable(document, &root));
    diagnostics.extend(reliable.map(|one| one.diagnostic(document, &root)));
    fill(&mut value, diagnostics);
    serde_json::from_value(value).unwrap_or_else(|error| {
        let message = format!("this file has a shape that is not known: {error}");
        diagnostics.push(document.error(&Location::new(), message));
        File::default()
    })
}

/// A shape from a schema that is part of this program.
pub(crate) fn own_shape<File: JsonSchema>() -> Shape {
    Shape::new(schema_of::<File>(), Noun::Key).expect("the schemas of both files are checked by a test")
}
