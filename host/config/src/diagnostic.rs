//! What is wrong with a configuration, where, and how to mend it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// A file of another kind, put in the place of one, has thousands.
const OF_ONE_FILE_MAX: usize = 100;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The configuration is not taken up.
    Error,
    /// It is taken up, and somebody should look at it.
    Warning,
    /// It is as the operator wrote it, and worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing that is wrong, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong, as one lower-case sentence.
    pub message: String,
    /// The file, as the operator would write it.
    pub file: Option<PathBuf>,
    /// Where in the file.
    pub place: Option<Place>,
    /// What would mend it.
    pub hint: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// How many characters of the line are meant; 0 where it is about what is missing.
    pub width: usize,
    /// The line.
    pub source: String,
}

impl Diagnostic {
    /// A diagnostic that has no place in a file.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            file: None,
            place: None,
            hint: None,
        }
    }

    /// An error about a whole file or directory. A name that is not UTF-8 is shown as far as it is: it goes
    /// into texts and JSON.
    pub(crate) fn about(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        let file = file.into();
        let shown = file
            .to_str()
            .is_none()
            .then(|| file.to_string_lossy().into_owned().into());
        Self {
            file: Some(shown.unwrap_or(file)),
            ..Self::new(Severity::Error, message)
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says how to mend it, if that is known.
    #[must_use]
    pub(crate) fn hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Whether any of them keeps the configuration from being taken up.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|one| one.severity == Severity::Error)
}

/// Puts them in the order of files and lines, and leaves out what nobody reads to its end.
pub(crate) fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_cached_key(|one| {
        let place = one.place.as_ref().map(|place| (place.line, place.column));
        (one.file.clone(), place)
    });
    let files = diagnostics.chunk_by(|one, next| one.file == next.file);
    files.flat_map(of_one_file).collect()
}

fn of_one_file(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let (told, rest) = diagnostics.split_at(diagnostics.len().min(OF_ONE_FILE_MAX));
    let mut told = told.to_vec();
    // Whether there are errors among them decides about the configuration.
    if let Some(worst) = rest.iter().map(|one| one.severity).min() {
        let more = Diagnostic {
            file: rest[0].file.clone(),
            ..Diagnostic::new(worst, format!("{} more are left out", rest.len()))
        };
        told.push(more.hint("mend the first ones; others often go with them"));
    }
    told
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, harmless(&self.message))?;
        let file = self.file.as_ref();
        let file = file.map(|file| harmless(&file.to_string_lossy()));
        match (file, &self.place) {
            (Some(file), Some(place)) => {
                write!(f, "\n  --> {file}:{}:{}", place.line, place.column)?;
                place.excerpt(f)?;
            }
            (Some(file), None) => write!(f, "\n  --> {file}")?,
            (None, _) => {}
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {}", harmless(hint)),
            None => Ok(()),
        }
    }
}

/// The text with pictures in the place of control characters: a file, or the manifest of a plugin that nobody
/// knows, is not to give orders to the terminal, or to begin a line that looks like one of the host's.
fn harmless(text: &str) -> String {
    let picture = |one: char| match u32::from(one) {
        low @ 0..0x20 => char::from_u32(0x2400 + low).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        0x80..0xa0 => char::REPLACEMENT_CHARACTER,
        _ => one,
    };
    text.chars().map(picture).collect()
}

impl Place {
    fn excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width == 0 {
            return Ok(());
        }
        let number = self.line.to_string();
        let (gutter, before) = (number.len(), self.column - 1);
        write!(f, "\n{:gutter$} |", "")?;
        write!(f, "\n{number} | {}", harmless(&self.source))?;
        write!(f, "\n{:gutter$} | {:before$}{}", "", "", "^".repeat(self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_gives_no_orders_to_a_terminal() {
        let diagnostic = Diagnostic::about("a\u{7f}.toml", "unknown key `\u{1b}[2J`\nhint: all is well")
            .hint("did you mean `\u{9b}`?");
        let expected = "error: unknown key `\u{241b}[2J`\u{240a}hint: all is well\n  --> a\u{2421}.toml\nhint: did you mean `\u{fffd}`?";
        assert_eq!(diagnostic.to_string(), expected);
    }

    #[test]
    fn of_very_many_in_one_file_the_first_are_told_and_the_worst_of_the_rest() {
        let mut many = vec![Diagnostic::about("a.toml", "wrong"); 150];
        many.push(Diagnostic::about("b.toml", "wrong"));
        many.push(Diagnostic::new(Severity::Note, "of no file"));
        let told = in_order(many);
        assert_eq!(told.len(), 1 + 101 + 1);
        assert_eq!(
            (told[101].severity, told[101].message.as_str()),
            (Severity::Error, "50 more are left out")
        );
    }

    #[test]
    fn diagnostic_shows_the_line_and_marks_the_place() {
        let diagnostic = Diagnostic {
            place: Some(Place {
                line: 14,
                column: 3,
                width: 5,
                source: "  memry = 5".to_owned(),
            }),
            ..Diagnostic::about("config/sopwith.toml", "unknown key `memry`").hint("did you mean `memory`?")
        };
        let expected = "error: unknown key `memry`\n  --> config/sopwith.toml:14:3\n   |\n14 |   memry = 5\n   |   ^^^^^\nhint: did you mean `memory`?";
        assert_eq!(diagnostic.to_string(), expected);
        let json = serde_json::to_string(&diagnostic).unwrap();
        assert_eq!(serde_json::from_str::<Diagnostic>(&json).unwrap(), diagnostic);
    }
}
