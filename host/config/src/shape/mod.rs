//! Checks values against JSON Schemas, and says what is wrong in the operator's words.

mod choice;
pub(crate) mod defaults;
mod effort;
mod explain;
mod homes;
pub(crate) mod nearest;
mod references;
mod words;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Location, Part};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// What one pattern of a schema takes in memory, and the steps back that one match of it may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;
const BACKTRACKS_MAX: usize = 100_000;

/// What an entry is called where the value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noun {
    Key,
    Setting,
    Input,
}

/// One thing in a value that breaks its schema.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// Where in the value.
    pub(crate) at: Location,
    part: Part,
    message: String,
    hint: Option<String>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Wrong,
}

/// A schema and the means to check values against it.
#[derive(Debug)]
pub(crate) struct Shape {
    schema: Value,
    validator: Validator,
    noun: Noun,
}

impl Shape {
    /// The error says what is wrong with the schema itself.
    pub(crate) fn new(schema: Value, noun: Noun) -> Result<Self, String> {
        references::check(&schema)?;
        let patterns = PatternOptions::fancy_regex()
            .size_limit(PATTERN_BYTES_MAX)
            .backtrack_limit(BACKTRACKS_MAX);
        let options = jsonschema::options().with_pattern_options(patterns);
        let validator = options.build(&schema).map_err(|error| error.to_string())?;
        Ok(Self {
            schema,
            validator,
            noun,
        })
    }

    /// Fails if it would take too many steps to say what is wrong with the value.
    pub(crate) fn afford(&self, value: &Value) -> Result<(), String> {
        effort::check(&self.schema, value)
    }

    /// Everything in the value that breaks the schema.
    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        let errors = self.validator.iter_errors(value);
        errors
            .flat_map(|error| explain::explain(&error, value, &self.schema, self.noun))
            .collect()
    }

    /// The value with the schema's defaults; fails if that would take too many steps.
    pub(crate) fn filled(&self, value: Value) -> Result<Value, String> {
        defaults::fill(&self.schema, value)
    }
}

/// Checks what a run is told against the schema of its action, and fills in the defaults.
///
/// The error is one sentence about everything that is wrong.
pub fn check_inputs(schema: &Value, inputs: Value) -> Result<Value, String> {
    let shape = Shape::new(schema.clone(), Noun::Input)?;
    shape.afford(&inputs)?;
    let violations = shape.violations(&inputs);
    if violations.is_empty() {
        return shape.filled(inputs);
    }
    let said = violations.iter().map(|violation| match &violation.hint {
        Some(hint) => format!("{} ({hint})", violation.message),
        None => violation.message.clone(),
    });
    Err(said.collect::<Vec<_>>().join("; "))
}

impl Violation {
    /// The same as an error about a file in which the value stands at `base`.
    pub(crate) fn diagnostic(&self, document: &Document, base: &Location) -> Diagnostic {
        document
            .diagnostic(Severity::Error, &self.place(base), self.part, &self.message)
            .hint_if(self.hint.clone())
    }

    /// Whether it still is a fault where the file could not be read to its end.
    pub(crate) fn is_reliable(&self, document: &Document, base: &Location) -> bool {
        document.is_whole() || (self.fault == Fault::Wrong && document.is_reliable(&self.place(base)))
    }

    fn place(&self, base: &Location) -> Location {
        self.at.iter().fold(base.clone(), |at, segment| at.join(segment))
    }

    /// Takes what is wrong out of the value, so that the rest of it can be used.
    pub(crate) fn prune(&self, value: &mut Value) {
        if self.fault == Fault::Missing {
            return;
        }
        let mut pointer = self.at.as_str();
        while let Some(slash) = pointer.rfind('/') {
            let key = pointer[slash + 1..].replace("~1", "/").replace("~0", "~");
            pointer = &pointer[..slash];
            // An item of an array cannot go alone: those after it would change their places.
            if let Some(Value::Object(object)) = value.pointer_mut(pointer) {
                object.remove(&key);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: &Value) -> Vec<String> {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["url"],
            "properties": {
                "url": { "type": "string", "examples": ["https://clinic.example"] },
                "status": { "type": ["integer", "null"], "minimum": 100 },
                "method": { "oneOf": [{ "type": "string", "const": "GET" }, { "type": "string", "const": "POST" }] },
                "keep": { "anyOf": [
                    { "enum": ["all"], "type": "string" },
                    { "type": "object", "properties": { "daily": { "type": "integer" } }, "additionalProperties": false },
                ] },
            },
        });
        let violations = Shape::new(schema, Noun::Setting).unwrap().violations(value);
        let said = violations.into_iter().map(|one| match one.hint {
            Some(hint) => format!("{}: {} ({hint})", one.at, one.message),
            None => format!("{}: {}", one.at, one.message),
        });
        said.collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let value = json!({ "ulr": "x", "status": "ok", "method": "PSOT" });
        assert_eq!(
            check(&value),
            [
                "/method: `PSOT` is not one of `GET`, `POST` (did you mean `POST`?)",
                "/status: `status` has to be a whole number, found a string",
                "/ulr: unknown setting `ulr` (did you mean `url`?)",
                ": missing setting `url` (write it like:  url = \"https://clinic.example\")",
            ]
        );
    }

    #[test]
    fn where_nothing_can_be_said_that_is_what_is_said() {
        let nothing = json!({ "type": "object", "additionalProperties": false });
        let said = check_inputs(&nothing, json!({ "milliseconds": 10, "x": 1 })).unwrap_err();
        let expected = "unknown input `milliseconds` (this action takes none); unknown input `x` (this action takes none)";
        assert_eq!(said, expected);
    }

    #[test]
    fn of_several_choices_the_one_that_was_meant_is_explained() {
        let with = |keep: Value| check(&json!({ "url": "x", "keep": keep }));
        assert_eq!(
            with(json!({ "dayly": 1 })),
            ["/keep/dayly: unknown setting `dayly` (did you mean `daily`?)"]
        );
        assert_eq!(
            with(json!("al")),
            ["/keep: `al` is not one of `all` (did you mean `all`?)"]
        );
        assert_eq!(
            with(json!(5)),
            ["/keep: `keep` has to be a string or a table, found a whole number"]
        );
    }
}
