//! A TOML file as a tree of values, each with its place in the text.

mod tree;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::de::DeTable;

pub(crate) use jsonschema::paths::Location;

/// A file that was parsed.
#[derive(Debug)]
pub(crate) struct Document {
    source: Source,
    /// What the file says, as JSON; dates are strings.
    pub(crate) value: Value,
    spans: BTreeMap<String, Spans>,
    broken: Broken,
}

/// The lines that could not be made out, by where they begin.
#[derive(Debug, Default)]
struct Broken {
    lines: BTreeSet<usize>,
    /// The first of them that heads a table.
    head: Option<usize>,
}

#[derive(Debug)]
struct Spans {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

/// Which part of an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its name.
    Key,
    /// What it is set to, or the head of the table.
    Value,
}

impl Document {
    /// Reads a file as far as it can be read, and says what it could not make out.
    pub(crate) fn parse(source: Source) -> (Self, Vec<Diagnostic>) {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut tree = tree::Tree::default();
        let value = tree.table(table.get_ref(), &Location::new());
        let syntax = errors.iter().map(|error| {
            let span = error.span().unwrap_or_default();
            (span, error.message().trim().to_owned())
        });
        let found: Vec<_> = syntax.chain(tree.problems).collect();
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        let mut places = BTreeSet::new();
        for (span, message) in &found {
            let diagnostic = source.diagnostic(Severity::Error, span, message);
            let place = diagnostic.place.as_ref();
            // One slip of the pen often breaks several rules at one place; the first tells most.
            if places.insert(place.map(|place| (place.line, place.column, place.width))) {
                diagnostics.push(diagnostic);
            }
        }
        let document = Self {
            spans: tree.spans,
            broken: Broken::new(&source, found.iter().map(|(span, _)| span.start)),
            source,
            value,
        };
        (document, diagnostics)
    }

    /// Whether all of it could be made out.
    pub(crate) fn is_whole(&self) -> bool {
        self.broken.lines.is_empty()
    }

    /// Whether what was made out at this place can be relied on although the file is broken.
    pub(crate) fn is_reliable(&self, at: &Location) -> bool {
        let here = self.range(at, Part::Value).start;
        let (line, _) = self.source.line_at(here);
        // What follows a broken head may belong to another table than it seems.
        self.broken.head.is_none_or(|head| here < head) && !self.broken.lines.contains(&line)
    }

    /// The file, as the operator would write it.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.source.path
    }

    /// An error about an entry, or about the nearest table around it that exists.
    pub(crate) fn error(&self, at: &Location, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Error, at, Part::Value, message)
    }

    /// A warning about an entry.
    pub(crate) fn warning(&self, at: &Location, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Warning, at, Part::Value, message)
    }

    /// A diagnostic about one part of an entry.
    pub(crate) fn diagnostic(
        &self,
        severity: Severity,
        at: &Location,
        part: Part,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.source.diagnostic(severity, &self.range(at, part), message)
    }

    /// An entry as it stands in the file, without quotes.
    pub(crate) fn written(&self, at: &Location) -> &str {
        let text = self.source.text.get(self.range(at, Part::Value));
        text.unwrap_or_default().trim_matches(['"', '\''])
    }

    fn range(&self, at: &Location, part: Part) -> Range<usize> {
        let mut pointer = at.as_str();
        loop {
            if let Some(spans) = self.spans.get(pointer) {
                let key = spans.key.clone().filter(|_| part == Part::Key);
                return key.unwrap_or_else(|| spans.value.clone());
            }
            match pointer.rfind('/') {
                Some(parent) => pointer = &pointer[..parent],
                None => return 0..0,
            }
        }
    }
}

impl Broken {
    fn new(source: &Source, offsets: impl Iterator<Item = usize>) -> Self {
        let lines: BTreeSet<usize> = offsets.map(|offset| source.line_at(offset).0).collect();
        let heads_a_table = |start: &&usize| source.text[**start..].trim_start().starts_with('[');
        let head = lines.iter().find(heads_a_table).copied();
        Self { lines, head }
    }
}

/// The place with these segments.
pub(crate) fn at<const N: usize>(segments: [&str; N]) -> Location {
    segments
        .iter()
        .fold(Location::new(), |location, segment| location.join(*segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Document, Vec<Diagnostic>) {
        Document::parse(Source::new("x.toml", text))
    }

    #[test]
    fn what_follows_a_broken_head_of_a_table_is_not_relied_on() {
        let (document, errors) = parse("a = 1\n[x\nb = 2\n");
        assert!(!errors.is_empty());
        assert!(document.is_reliable(&at(["a"])));
        assert!(!document.is_reliable(&at(["b"])));
    }

    #[test]
    fn a_broken_line_leaves_the_others_reliable() {
        let (document, errors) = parse("a = 1\nb = 5 5\nc = 2\n");
        assert_eq!(errors.len(), 1);
        assert!(document.is_reliable(&at(["c"])));
        assert!(!document.is_reliable(&at(["b"])));
    }

    #[test]
    fn a_missing_entry_is_placed_at_the_table_around_it() {
        let (document, _) = parse("a = 1\n[x.y]\nb = 2\n");
        let place = document.error(&at(["x", "y", "z"]), "").place.unwrap();
        assert_eq!((place.line, place.source.as_str()), (2, "[x.y]"));
    }
}
