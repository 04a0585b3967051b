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
    /// Where its lines begin.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let after = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self {
            lines: std::iter::once(0).chain(after).collect(),
            path: path.into(),
            text,
        }
    }

    /// Where the line begins that this offset lies in, and which one it is, counted from 0.
    pub(crate) fn line_at(&self, offset: usize) -> (usize, usize) {
        let number = self.lines.partition_point(|start| *start <= offset) - 1;
        (self.lines[number], number)
    }

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
        let (line_start, number) = self.line_at(start);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // What a line ends with may be two characters, and is no part of it.
        let column = self.text[line_start..start]
            .chars()
            .count()
            .min(line.chars().count())
            + 1;
        let meant = self.text.get(range.clone()).unwrap_or_default();
        let characters = meant.lines().next().unwrap_or_default().chars().count();
        // What is missing from the file itself is at no place of it.
        let width = if *range == (0..0) { 0 } else { characters.max(1) };
        let source: String = line.chars().take(EXCERPT_CHARACTERS_MAX).collect();
        let room = (source.chars().count() + 2).saturating_sub(column);
        Place {
            line: number + 1,
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
        let source = Source::new("x.toml", text);
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
        assert_eq!(place("a = \"\r\nb", "\n"), (1, 6, 1));
    }
}
