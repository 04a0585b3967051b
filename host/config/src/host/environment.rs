//! Puts values of the environment where `sopwith.toml` says `{{env:NAME}}`.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location};
use serde_json::Value;

/// Fills in every placeholder of a value that stands at this place in the document.
///
/// Until here all messages quote the file as it was written, so that what comes from the
/// environment is in none of them.
pub(super) fn fill(
    value: &mut Value,
    place: &Location,
    document: &Document,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match value {
        Value::String(text) if text.contains("{{") => match filled(text) {
            Ok(filled) => *text = filled,
            Err(problem) => {
                diagnostics.push(document.error(place, problem.message).hint(problem.hint));
            }
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, &place.join(index), document, diagnostics);
            }
        }
        Value::Object(object) => {
            for (key, inner) in object {
                fill(inner, &place.join(key), document, diagnostics);
            }
        }
        _ => {}
    }
}

/// Why a placeholder cannot be filled in.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) hint: String,
}

/// The text with its placeholders filled in.
pub(super) fn filled(text: &str) -> Result<String, Problem> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let problem = |message: String| Problem {
            message,
            hint: "a value comes from the environment as  {{env:NAME}}".to_owned(),
        };
        let (inner, behind) = after
            .split_once("}}")
            .ok_or_else(|| problem("`{{` is not closed".to_owned()))?;
        let name = inner
            .strip_prefix("env:")
            .ok_or_else(|| problem(format!("`{{{{{inner}}}}}` is not known")))?;
        let value = std::env::var(name).map_err(|_| Problem {
            message: format!("the environment has no `{name}`"),
            hint: format!("set it where the host is started:  {name}=…"),
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_the_missing_one_is_named() {
        let filled = |text| filled(text).map_err(|problem| problem.message);
        let package = env!("CARGO_PKG_NAME");
        assert_eq!(
            filled("a {{env:CARGO_PKG_NAME}} b").unwrap(),
            format!("a {package} b")
        );
        assert_eq!(
            filled("{{env:SOPWITH_NOT_SET}}").unwrap_err(),
            "the environment has no `SOPWITH_NOT_SET`"
        );
        assert_eq!(filled("{{secret:X}}").unwrap_err(), "`{{secret:X}}` is not known");
        assert_eq!(filled("{{env:X").unwrap_err(), "`{{` is not closed");
    }
}
