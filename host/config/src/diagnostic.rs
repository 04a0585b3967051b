//! What is wrong with a configuration, where, and how to mend it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

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

    /// An error about a whole file or directory.
    pub(crate) fn about(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            file: Some(file.into()),
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

/// Puts them in the order of files and lines.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|one| {
        let place = one.place.as_ref().map(|place| (place.line, place.column));
        (one.file.clone(), place)
    });
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.message)?;
        match (&self.file, &self.place) {
            (Some(file), Some(place)) => {
                write!(f, "\n  --> {}:{}:{}", file.display(), place.line, place.column)?;
                place.excerpt(f)?;
            }
            (Some(file), None) => write!(f, "\n  --> {}", file.display())?,
            (None, _) => {}
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Place {
    fn excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width == 0 {
            return Ok(());
        }
        let number = self.line.to_string();
        let (gutter, before) = (number.len(), self.column - 1);
        write!(f, "\n{:gutter$} |", "")?;
        write!(f, "\n{number} | {}", self.source)?;
        write!(f, "\n{:gutter$} | {:before$}{}", "", "", "^".repeat(self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
