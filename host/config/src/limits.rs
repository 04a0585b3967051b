//! The table of limits: how each is written, read and held under its ceiling.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location};
use crate::quantity;
use crate::raw::LimitsTable;
use serde_json::{Value, json};
use sopwith_core::limits::Limits;
use std::time::Duration;

/// One limit.
pub(crate) struct Field {
    pub(crate) key: &'static str,
    about: &'static str,
    unit: Unit,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

/// What a limit counts. Times are held in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Time,
    Bytes,
    Count { max: u64 },
}

const COUNT: Unit = Unit::Count { max: i64::MAX as u64 };
const SMALL_COUNT: Unit = Unit::Count { max: u32::MAX as u64 };

macro_rules! field {
    ($key:ident, $field:ident, $unit:expr, $about:literal) => {
        Field {
            key: stringify!($key),
            about: $about,
            unit: $unit,
            get: |limits| limits.$field.into(),
            // A value is checked against the unit's largest before it is set.
            set: |limits, value| limits.$field = value.try_into().unwrap_or_default(),
        }
    };
    (time $key:ident, $about:literal) => {
        Field {
            key: stringify!($key),
            about: $about,
            unit: Unit::Time,
            get: |limits| u64::try_from(limits.$key.as_millis()).unwrap_or(u64::MAX),
            set: |limits, value| limits.$key = Duration::from_millis(value),
        }
    };
}

/// Every limit.
pub(crate) const FIELDS: [Field; 15] = [
    field!(time timeout, "Wall time of an attempt."),
    field!(time cpu, "Processor time of an attempt."),
    field!(
        memory,
        memory_bytes,
        Unit::Bytes,
        "All memories and tables of the plugin together."
    ),
    field!(handles, handles, SMALL_COUNT, "Handles that are open at once."),
    field!(calls, calls, COUNT, "Calls of capabilities."),
    field!(
        output,
        output_bytes,
        Unit::Bytes,
        "The report that an action returns."
    ),
    field!(
        log,
        log_bytes,
        Unit::Bytes,
        "Log entries, standard output and standard error together."
    ),
    field!(findings, findings, SMALL_COUNT, "Findings."),
    field!(
        attachments,
        attachments_bytes,
        Unit::Bytes,
        "All attachments together."
    ),
    field!(state, state_bytes, Unit::Bytes, "The procedure's state."),
    field!(rows, rows, COUNT, "Rows of one query."),
    field!(query_bytes, query_bytes, Unit::Bytes, "The rows of one query."),
    field!(
        http_body,
        http_body_bytes,
        Unit::Bytes,
        "One body of HTTP, either way."
    ),
    field!(
        command_output,
        command_output_bytes,
        Unit::Bytes,
        "What is kept of each output of a command."
    ),
    field!(
        scratch,
        scratch_bytes,
        Unit::Bytes,
        "All scratch databases together."
    ),
];

impl Field {
    /// The JSON Schema of its value.
    pub(crate) fn schema(&self) -> Value {
        let default = self.written((self.get)(&Limits::default()));
        match self.unit {
            Unit::Time | Unit::Bytes => {
                json!({ "type": "string", "description": self.about, "default": default, "examples": [default] })
            }
            Unit::Count { max } => {
                let number = (self.get)(&Limits::default());
                json!({ "type": "integer", "minimum": 1, "maximum": max, "description": self.about, "default": number })
            }
        }
    }

    fn written(&self, value: u64) -> String {
        match self.unit {
            Unit::Time => quantity::written_time(Duration::from_millis(value)),
            Unit::Bytes => quantity::written_bytes(value),
            Unit::Count { .. } => value.to_string(),
        }
    }

    /// The line that sets it to this.
    fn example(&self, value: u64) -> String {
        let written = self.written(value);
        match self.unit {
            Unit::Time | Unit::Bytes => format!("{} = \"{written}\"", self.key),
            Unit::Count { .. } => format!("{} = {written}", self.key),
        }
    }

    fn read(&self, value: &Value) -> Result<u64, String> {
        let text = value.as_str().unwrap_or_default();
        let read = match self.unit {
            Unit::Time => {
                quantity::time(text).map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
            }
            Unit::Bytes => quantity::bytes(text),
            Unit::Count { .. } => value.as_u64().ok_or_else(|| format!("`{value}` is not a count")),
        }?;
        match i64::try_from(read) {
            Ok(0) => Err(format!("`{text}` leaves nothing")),
            Ok(_) => Ok(read),
            // SQLite and JSON hold signed numbers.
            Err(_) => Err(format!("`{text}` is too much")),
        }
    }
}

/// The limits of a table on top of others; what is wrong with it is told.
pub(crate) fn read(
    table: Option<&LimitsTable>,
    base: Limits,
    document: &Document,
    at: &Location,
    diagnostics: &mut Vec<Diagnostic>,
) -> Limits {
    let mut limits = base;
    for (field, value) in written(table) {
        match field.read(value) {
            Ok(read) => (field.set)(&mut limits, read),
            Err(message) => {
                let example = field.example((field.get)(&Limits::default()));
                let hint = format!("write it like:  {example}");
                diagnostics.push(document.error(&at.join(field.key), message).hint(hint));
            }
        }
    }
    limits
}

fn written(table: Option<&LimitsTable>) -> impl Iterator<Item = (&'static Field, &Value)> {
    let entries = table.into_iter().flat_map(|table| &table.0);
    entries.filter_map(|(key, value)| {
        let field = FIELDS.iter().find(|field| field.key == key)?;
        Some((field, value))
    })
}

/// Tells each ceiling below the default of its limit: a procedure that says nothing breaks it.
pub(crate) fn check_defaults(
    table: Option<&LimitsTable>,
    limits: &Limits,
    ceiling: &Limits,
    document: &Document,
    at: &Location,
) -> Vec<Diagnostic> {
    let is_written = |field: &Field| table.is_some_and(|table| table.0.contains_key(field.key));
    // A default that is written has the error itself.
    let too_low = FIELDS
        .iter()
        .filter(|field| !is_written(field) && (field.get)(limits) > (field.get)(ceiling));
    too_low
        .map(|field| {
            let (default, most) = ((field.get)(limits), (field.get)(ceiling));
            let message = format!(
                "the ceiling of `{}` is {}, below the default of {}",
                field.key,
                field.written(most),
                field.written(default)
            );
            let hint = format!(
                "raise it, or lower the default:  [limits] with  {}",
                field.example(most)
            );
            document.error(&at.join(field.key), message).hint(hint)
        })
        .collect()
}

/// Tells each limit that is written above its ceiling.
pub(crate) fn check_ceiling(
    table: Option<&LimitsTable>,
    limits: &Limits,
    ceiling: &Limits,
    document: &Document,
    at: &Location,
) -> Vec<Diagnostic> {
    let too_high = written(table).filter(|(field, _)| (field.get)(limits) > (field.get)(ceiling));
    too_high
        .map(|(field, _)| {
            let (asked, most) = ((field.get)(limits), (field.get)(ceiling));
            let message = format!(
                "`{}` is {}, above the ceiling of {}",
                field.key,
                field.written(asked),
                field.written(most)
            );
            let hint = format!(
                "ask for less, or write in sopwith.toml:  [limits.ceiling] with  {}",
                field.example(asked)
            );
            document.error(&at.join(field.key), message).hint(hint)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set_and_is_its_own() {
        let mut limits = Limits::default();
        for (value, field) in (1_000..).zip(&FIELDS) {
            (field.set)(&mut limits, value);
        }
        let values: Vec<u64> = FIELDS.iter().map(|field| (field.get)(&limits)).collect();
        assert_eq!(values, (1_000..1_015).collect::<Vec<_>>());
    }

    #[test]
    fn defaults_are_written_as_they_are_read() {
        let limits = Limits::default();
        for field in &FIELDS {
            let schema = field.schema();
            assert_eq!(
                field.read(&schema["default"]),
                Ok((field.get)(&limits)),
                "{}",
                field.key
            );
        }
    }
}
