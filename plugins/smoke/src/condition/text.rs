//! Parts of a condition's text that know where they stand in it.

use super::Fault;

/// A part of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    whole: &'a str,
    /// The part itself.
    pub(super) text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    /// All of a text.
    pub(super) fn whole(text: &'a str) -> Self {
        Self {
            whole: text,
            text,
            start: 0,
        }
    }

    /// What stands before the byte `at`, and what stands from there on.
    pub(super) fn split_at(self, at: usize) -> (Self, Self) {
        let (before, after) = self.text.split_at(at);
        let start = self.start + at;
        (
            Self { text: before, ..self },
            Self {
                text: after,
                start,
                ..self
            },
        )
    }

    /// Without the white space around it.
    pub(super) fn trim(self) -> Self {
        let trimmed = self.text.trim_start();
        let start = self.start + (self.text.len() - trimmed.len());
        Self {
            text: trimmed.trim_end(),
            start,
            ..self
        }
    }

    /// What follows this beginning.
    pub(super) fn after(self, beginning: &str) -> Option<Self> {
        let text = self.text.strip_prefix(beginning)?;
        Some(Self {
            text,
            start: self.start + beginning.len(),
            ..self
        })
    }

    /// What precedes this end.
    pub(super) fn before(self, end: &str) -> Option<Self> {
        let text = self.text.strip_suffix(end)?;
        Some(Self { text, ..self })
    }

    /// What stands between the parentheses of a call of this function.
    pub(super) fn call(self, function: &str) -> Option<Self> {
        Some(self.after(function)?.after("(")?.before(")")?.trim())
    }

    /// How deep brackets stand in brackets.
    pub(super) fn depth(self) -> usize {
        let mut nesting = Nesting::default();
        let depths = self.text.chars().map(|character| {
            nesting.pass(character);
            nesting.depth
        });
        depths.max().unwrap_or_default()
    }

    /// The first byte outside brackets and quotes of which `is_wanted` says so.
    pub(super) fn find_outside(self, mut is_wanted: impl FnMut(&str) -> bool) -> Option<usize> {
        let mut nesting = Nesting::default();
        self.text.char_indices().find_map(|(at, character)| {
            let found = nesting.is_outside() && is_wanted(&self.text[at..]);
            nesting.pass(character);
            found.then_some(at)
        })
    }

    /// The parts between commas that stand outside brackets and quotes.
    pub(super) fn split_at_commas(self) -> Vec<Self> {
        let (mut parts, mut rest) = (Vec::new(), self);
        while let Some(comma) = rest.find_outside(|text| text.starts_with(',')) {
            let (part, after) = rest.split_at(comma);
            parts.push(part.trim());
            rest = after.split_at(1).1;
        }
        parts.push(rest.trim());
        parts
    }

    /// This is wrong at the beginning of the part.
    pub(super) fn fault(self, message: impl Into<String>) -> Fault {
        self.fault_at(0, message)
    }

    /// This is wrong at so many characters into the part.
    pub(super) fn fault_at(self, characters: usize, message: impl Into<String>) -> Fault {
        let before = self.whole[..self.start].chars().count();
        let (position, message) = (before + characters + 1, message.into());
        Fault { position, message }
    }
}

/// Keeps track of brackets and quotes.
#[derive(Default)]
struct Nesting {
    depth: usize,
    quote: Option<char>,
    is_escaped: bool,
}

impl Nesting {
    fn is_outside(&self) -> bool {
        self.depth == 0 && self.quote.is_none()
    }

    fn pass(&mut self, character: char) {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        if let Some(quote) = self.quote {
            match character {
                '\\' => self.is_escaped = !is_escaped,
                _ if character == quote && !is_escaped => self.quote = None,
                _ => {}
            }
            return;
        }
        match character {
            '"' | '\'' => self.quote = Some(character),
            '[' | '(' => self.depth += 1,
            ']' | ')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
