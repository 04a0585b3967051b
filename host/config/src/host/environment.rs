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
        Value::String(text) if text.contains("{{") => match filled_at(Spot::of(place), text) {
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

/// What else than values of the environment may stand in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// Nothing.
    Plain,
    /// Blanks: an argument of a command.
    Argument,
    /// Secrets, which are left as they are: a variable of a command.
    Variable,
}

impl Spot {
    fn of(place: &Location) -> Self {
        let segments: Vec<&str> = place.as_str().split('/').collect();
        match segments[..] {
            ["", "commands", _, "arguments", _] => Self::Argument,
            ["", "commands", _, "environment", _] => Self::Variable,
            _ => Self::Plain,
        }
    }
}

/// The text with its placeholders filled in.
pub(super) fn filled(text: &str) -> Result<String, Problem> {
    filled_at(Spot::Plain, text)
}

fn filled_at(spot: Spot, text: &str) -> Result<String, Problem> {
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
        filled.push_str(before);
        rest = behind;
        if inner.starts_with("secret:") {
            if spot != Spot::Variable {
                return Err(no_place_for_a_secret(spot, inner));
            }
            filled.extend(["{{", inner, "}}"]);
            continue;
        }
        let name = inner
            .strip_prefix("env:")
            .ok_or_else(|| problem(format!("`{{{{{inner}}}}}` is not known")))?;
        let value = std::env::var(name).map_err(|_| Problem {
            message: format!("the environment has no `{name}`"),
            hint: format!("set it where the host is started:  {name}=…"),
        })?;
        match spot {
            // A value is text, whatever stands in it.
            Spot::Argument => filled.push_str(&value.replace('{', "\\{").replace('}', "\\}")),
            Spot::Variable if value.contains("{{") => {
                return Err(Problem {
                    message: format!("the value of `{name}` in the environment has `{{{{` in it"),
                    hint: "write the value here, or name a secret:  {{secret:NAME}}".to_owned(),
                });
            }
            Spot::Plain | Spot::Variable => filled.push_str(&value),
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn no_place_for_a_secret(spot: Spot, inner: &str) -> Problem {
    if spot == Spot::Argument {
        return Problem {
            message: "no secret can stand in an argument, which every user of this machine can see"
                .to_owned(),
            hint: format!(
                "put it into the environment of the command:  environment = {{ TOKEN = \"{{{{{inner}}}}}\" }}"
            ),
        };
    }
    Problem {
        message: "no secret can stand here".to_owned(),
        hint: "`{{secret:NAME}}` stands in the `environment` of a command, and in those settings of a procedure that its plugin sends".to_owned(),
    }
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
        assert_eq!(filled("{{nope:X}}").unwrap_err(), "`{{nope:X}}` is not known");
        assert_eq!(filled("a {{secret:X}}").unwrap_err(), "no secret can stand here");
        assert_eq!(filled("{{env:X").unwrap_err(), "`{{` is not closed");
    }
    #[test]
    fn a_command_takes_values_as_text_and_secrets_in_its_environment_alone() {
        let filled = |spot, text| filled_at(spot, text).map_err(|problem| problem.message);
        let text = "{x}{{env:CARGO_PKG_NAME}}";
        let package = env!("CARGO_PKG_NAME");
        assert_eq!(filled(Spot::Argument, text).unwrap(), format!("{{x}}{package}"));
        let secret = "a {{secret:X}} b";
        assert_eq!(filled(Spot::Variable, secret).unwrap(), secret);
        assert!(filled(Spot::Argument, secret).unwrap_err().contains("every user"));
        assert!(filled(Spot::Plain, secret).is_err());
        let spot = |place: &str| {
            Spot::of(
                &place
                    .split('/')
                    .fold(Location::new(), |place, part| place.join(part)),
            )
        };
        assert!(spot("commands/a/environment/B") == Spot::Variable);
        assert!(spot("commands/a/arguments/0") == Spot::Argument);
        assert!(spot("commands/a/program") == Spot::Plain);
    }
}
