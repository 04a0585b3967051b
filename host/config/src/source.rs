//! The text of one file, and where in it an offset lies.

use crate::diagnostic::{Diagnostic, Place, Severity};
use std::ops::Range;
use std::path::PathBuf;

/// The longest line that is shown in full.
const EXCERPT_CHARACTERS_MAX: usize = 160;

/// The text of one file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The file, as the operator would write it.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// A diagnostic about this part of the text.
    pub(crate) fn diagnostic(
        &self,
        severity: Severity,
        range: &Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: Some(self.path.clone()),
            place: Some(self.place(range)),
            ..Diagnostic::new(severity, message)
        }
    }

    fn place(&self, range: &Range<usize>) -> Place {
        let start = range.start.min(self.text.len());
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let column = self.text[line_start..start].chars().count() + 1;
        let meant = self.text.get(range.clone()).unwrap_or_default();
        let characters = meant.lines().next().unwrap_or_default().chars().count();
        // What is missing from the file itself is at no place of it.
        let width = if *range == (0..0) { 0 } else { characters.max(1) };
        let source: String = line.chars().take(EXCERPT_CHARACTERS_MAX).collect();
        let room = (source.chars().count() + 2).saturating_sub(column);
        Place {
            line: before.matches('\n').count() + 1,
            column,
            width: width.min(room),
            // A tab would move the marks beneath it.
            source: source.replace('\t', " "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, meant: &str) -> (usize, usize, usize) {
        let source = Source {
            path: "x.toml".into(),
            text: text.to_owned(),
        };
        let start = text.find(meant).unwrap();
        let place = source.place(&(start..start + meant.len()));
        (place.line, place.column, place.width)
    }

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        assert_eq!(place("a = 1\nb = 2", "a"), (1, 1, 1));
        assert_eq!(place("a = 1\nb = 2", "2"), (2, 5, 1));
        assert_eq!(place("ä = 'ö'\r\nb = 2", "'ö'"), (1, 5, 3));
        assert_eq!(place("a = '''x\ny'''", "'''x\ny'''"), (1, 5, 4));
    }
}
