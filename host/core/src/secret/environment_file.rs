//! Reads a variable out of a `.env` file, as far as the tools that read such files agree.
//!
//! A line is `NAME=value`, or the same after `export`. Of several lines with one name the last one
//! holds. A value may stand in single quotes, where everything is itself, or in double quotes, where
//! `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes; in quotes it may have several lines. Without
//! quotes it ends before a `#` that follows a space. Nothing is filled in: a value with `${`, which
//! some tools fill in and others do not, is refused unless it stands in single quotes. Lines that are
//! no assignments are passed over.

use std::fmt;
use zeroize::Zeroizing;

/// Why a file does not tell a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// The line, from 1.
    pub line: usize,
    why: &'static str,
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Unclear {}

/// The value of a variable; none where the file does not set it.
pub fn find(text: &str, variable: &str) -> Result<Option<Zeroizing<String>>, Unclear> {
    let mut reading = Reading {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
    };
    let mut found = None;
    while let Some(name) = reading.name() {
        let value = reading.value()?;
        if name == variable {
            found = Some(value?);
        }
    }
    Ok(found)
}

/// What is left of a file.
struct Reading<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reading<'t> {
    /// Goes behind the `=` of the next assignment, and returns its name; none at the end.
    fn name(&mut self) -> Option<&'t str> {
        while !self.rest.is_empty() {
            let line = self.rest.lines().next().unwrap_or_default();
            let assignment = line.split_once('=').map(|(name, _)| name);
            if let Some(before) = assignment.filter(|before| !before.trim_start().starts_with('#')) {
                self.go(before.len() + 1);
                let name = before.trim();
                let exported = name
                    .strip_prefix("export")
                    .filter(|rest| rest.starts_with([' ', '\t']));
                return Some(exported.unwrap_or(name).trim_start());
            }
            self.end_line();
        }
        None
    }

    /// Goes to the next line, and returns the value that stood here. The outer error is one about
    /// the rest of the file, the inner one about this value alone.
    fn value(&mut self) -> Result<Result<Zeroizing<String>, Unclear>, Unclear> {
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        self.go(blanks);
        let line = self.line;
        let value = match self.rest.chars().next() {
            Some('\'') => self
                .quoted('\'')
                .map(|text| Ok(Zeroizing::new(text.to_owned())))?,
            Some('"') => self.quoted('"').map(unescaped)?,
            _ => return Ok(self.bare()),
        };
        let behind = self.end_line().trim_start_matches([' ', '\t']);
        if !behind.is_empty() && !behind.starts_with('#') {
            let why = "something follows the closing quote";
            return Ok(Err(Unclear { line, why }));
        }
        Ok(value.map_err(|why| Unclear { line, why }))
    }

    fn bare(&mut self) -> Result<Zeroizing<String>, Unclear> {
        let line = self.line;
        let text = self.end_line();
        let comment = text
            .match_indices('#')
            .find(|(place, _)| text[..*place].ends_with([' ', '\t']));
        let text = text[..comment.map_or(text.len(), |(place, _)| place)].trim_end();
        if text.contains("${") {
            return Err(Unclear {
                line,
                why: PUT_TOGETHER,
            });
        }
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The text between this quote and the next one of its kind.
    fn quoted(&mut self, quote: char) -> Result<&'t str, Unclear> {
        let inner = &self.rest[1..];
        let mut escaped = false;
        let end = inner.char_indices().find(|(_, letter)| {
            let ends = *letter == quote && !escaped;
            escaped = quote == '"' && *letter == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else {
            let (line, why) = (self.line, "a quote is not closed");
            return Err(Unclear { line, why });
        };
        self.go(1 + end + 1);
        Ok(&inner[..end])
    }

    /// Goes to the next line, and returns what was left of this one.
    fn end_line(&mut self) -> &'t str {
        let line = self.rest.split_inclusive('\n').next().unwrap_or_default();
        self.go(line.len());
        line.trim_end_matches(['\n', '\r'])
    }

    fn go(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

const PUT_TOGETHER: &str =
    "the value has `${`, which some tools fill in and others do not; in single quotes it stands for itself";

/// What a text in double quotes means.
fn unescaped(text: &str) -> Result<Zeroizing<String>, &'static str> {
    // As long as the text at most, so that no part of it is left behind by a move.
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('$', Some('{')) => return Err(PUT_TOGETHER),
            ('\\', Some(next)) => {
                match next {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    '"' | '\\' | '$' => value.push(*next),
                    _ => value.extend([letter, *next]),
                }
                letters.next();
            }
            _ => value.push(letter),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<Option<&str>, &str>) {
        let found = find(text, "KEY").map_err(|unclear| unclear.to_string());
        let found = found
            .as_ref()
            .map(|value| value.as_ref().map(|value| value.as_str()));
        assert_eq!(found.map_err(String::as_str), expected, "{text:?}");
    }

    #[test]
    fn a_value_is_read_as_the_usual_tools_read_it() {
        for (text, value) in [
            ("KEY=plain", "plain"),
            ("\u{feff}KEY=plain\r\nOTHER=x\r\n", "plain"),
            ("# KEY=no\n\nOTHER=1\nexport KEY = spaced  \n", "spaced"),
            ("KEY=first\nKEY=last", "last"),
            ("KEY=a#b # a comment", "a#b"),
            ("KEY=#a", "#a"),
            ("KEY=a=b==", "a=b=="),
            ("KEY=pa$$word$x", "pa$$word$x"),
            (
                "KEY='it is ${literal} \\n # \"all of it\"' # a comment",
                "it is ${literal} \\n # \"all of it\"",
            ),
            (r#"KEY="a\n\t\"b\"\\ \${c} \d # e""#, "a\n\t\"b\"\\ ${c} \\d # e"),
            ("OTHER=\"two\nKEY=no\nlines\"\nKEY='two\nlines'", "two\nlines"),
            ("nonsense\nKEY=x", "x"),
            ("OTHER=${HOME}\nKEY=x", "x"),
            ("OTHER='a'b\nKEY=x", "x"),
            ("KEY=ä'ö\"", "ä'ö\""),
            ("exportKEY=no\nKEY=x", "x"),
            ("KEY=", ""),
        ] {
            check(text, Ok(Some(value)));
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_not_there() {
        for text in [
            "",
            "KEYS=a",
            "key=a",
            "#KEY=a",
            "KEY",
            "KEY: a",
            "OTHER='\nKEY=a'",
        ] {
            check(text, Ok(None));
        }
    }

    #[test]
    fn what_tools_read_differently_is_refused_with_its_line() {
        check("A=1\nKEY=\"a", Err("line 2: a quote is not closed"));
        check("A='1\nKEY=a", Err("line 1: a quote is not closed"));
        check(
            "A='1\n2'\nKEY='a'b",
            Err("line 3: something follows the closing quote"),
        );
        for value in ["${A}", "\"a${A}\""] {
            let said = format!("line 1: {PUT_TOGETHER}");
            check(&format!("KEY={value}"), Err(&said));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), lines in "(KEY|A)=[\"'$#\\\\ \\n{a]{0,40}") {
            let _ = find(&text, "KEY");
            let _ = find(&lines, "KEY");
        }

        #[test]
        fn a_quoted_value_reads_back(value in any::<String>(), before in "[a-z \\n#]{0,20}") {
            let text = format!("{before}\nKEY='{}' # it\n", value.replace('\'', "’"));
            let found = find(&text, "KEY").unwrap().unwrap();
            prop_assert_eq!(found.as_str(), value.replace('\'', "’"));
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
            let text = format!("{before}\nexport KEY=\"{escaped}\"\r\n");
            let found = find(&text, "KEY").unwrap().unwrap();
            prop_assert_eq!(found.as_str(), value);
        }
    }
}
