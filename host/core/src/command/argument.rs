//! An argument of a command: text with blanks, `--revision={revision}`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An argument. Together its parts are one argument, whatever stands in the blanks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Argument {
    /// The parts in order; texts are not empty.
    pub parts: Vec<ArgumentPart>,
}

/// A part of an argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentPart {
    /// Text that stands as it is.
    Text(String),
    /// The blank of this name.
    Blank(String),
}

/// A text that is no argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgument {
    /// A `{` without its `}`.
    #[error("`{{` is not closed")]
    Open,
    /// A `}` without its `{`.
    #[error("`}}` closes nothing")]
    Closed,
    /// What stands between the braces is no name.
    #[error("`{{{0}}}` is no blank: its name has letters, digits, `-` and `_` alone")]
    Name(String),
}

impl Argument {
    /// The names of its blanks, in order and with repetitions.
    pub fn blanks(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            ArgumentPart::Blank(name) => Some(name.as_str()),
            ArgumentPart::Text(_) => None,
        })
    }

    /// Whether it begins with what a plugin fills in, so that the value might become an option.
    pub fn begins_with_a_blank(&self) -> bool {
        matches!(self.parts.first(), Some(ArgumentPart::Blank(_)))
    }
}

/// Blanks stand in braces; a brace that is meant as such has a `\` before it.
impl FromStr for Argument {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            let (before, brace) = (&rest[..place], &rest[place..=place]);
            rest = &rest[place + 1..];
            if let Some(before) = before.strip_suffix('\\') {
                plain.extend([before, brace]);
                continue;
            }
            plain.push_str(before);
            if brace == "}" {
                return Err(InvalidArgument::Closed);
            }
            let (name, behind) = rest.split_once('}').ok_or(InvalidArgument::Open)?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(is_plain) {
                return Err(InvalidArgument::Name(name.to_owned()));
            }
            if !plain.is_empty() {
                parts.push(ArgumentPart::Text(std::mem::take(&mut plain)));
            }
            parts.push(ArgumentPart::Blank(name.to_owned()));
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(ArgumentPart::Text(plain));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            ArgumentPart::Text(text) => f.write_str(&text.replace('{', "\\{").replace('}', "\\}")),
            ArgumentPart::Blank(name) => write!(f, "{{{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Argument, InvalidArgument> {
        text.parse()
    }

    #[test]
    fn blanks_stand_in_braces_and_braces_behind_a_backslash() {
        let argument = read("--a={b}-{c}").unwrap();
        assert_eq!(argument.blanks().collect::<Vec<_>>(), ["b", "c"]);
        assert!(!argument.begins_with_a_blank());
        assert!(read("{b}c").unwrap().begins_with_a_blank());
        for text in [r"\{print $1\}", r"\{\{.ID\}\}", r"a\b", ""] {
            let argument = read(text).unwrap();
            assert_eq!(argument.blanks().count(), 0, "{text}");
            assert_eq!(argument.to_string(), text);
        }
        let text = ArgumentPart::Text("{print $1}".to_owned());
        assert_eq!(read(r"\{print $1\}").unwrap().parts, [text]);
    }

    #[test]
    fn a_brace_that_belongs_to_no_blank_is_told() {
        assert_eq!(read("a{b"), Err(InvalidArgument::Open));
        assert_eq!(read("a}b"), Err(InvalidArgument::Closed));
        for name in ["", "print $1", "{a", "secret:A"] {
            assert_eq!(
                read(&format!("{{{name}}}")),
                Err(InvalidArgument::Name(name.to_owned()))
            );
        }
    }
}
