//! What the text in a blank has to look like.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Bytes that a compiled pattern may take; what a name or a number looks like takes far less.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A regular expression that matches a text as a whole, or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    written: String,
    whole: Regex,
}

/// A text that is no regular expression, or one that is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

impl Pattern {
    /// Whether it matches all of a text; a newline at the end is part of it.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The regular expression that is searched for, which begins and ends with the text.
    pub fn anchored(&self) -> &str {
        self.whole.as_str()
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        // By itself first: `a)|(b` would be whole within a group and match less than all.
        compile(text)?;
        Ok(Self {
            whole: compile(&format!(r"\A(?:{text})\z"))?,
            written: text.to_owned(),
        })
    }
}

fn compile(text: &str) -> Result<Regex, InvalidPattern> {
    let compiled = RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build();
    compiled.map_err(|error| {
        InvalidPattern(match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The message draws the pattern on several lines; the last one says what it is about.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
    })
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text_or_not_at_all() {
        let cases = [
            ("[a-z]+", "ab", true),
            ("[a-z]+", "ab\n", false),
            ("^[a-z]+$", "ab\n", false),
            ("(?m)^[a-z]+$", "ab\n--evil", false),
            ("a|ab", "ab", true),
            ("a|b", "ax", false),
            ("a|b", "xb", false),
            ("", "x", false),
            (".*", "a\nb", false),
        ];
        for (pattern, text, expected) in cases {
            let read: Pattern = pattern.parse().unwrap();
            assert_eq!(read.matches(text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn what_would_break_out_of_its_bounds_is_no_pattern() {
        for bad in ["a)|(b", "(?x)a#", "(", "[a", "a{1000}{1000}", r"\"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
        let why = "[a".parse::<Pattern>().unwrap_err().to_string();
        assert_eq!(why, "unclosed character class");
    }
}
