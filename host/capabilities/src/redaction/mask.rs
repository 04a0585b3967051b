//! Masks whatever is known at one moment: in texts, in bytes, and where nothing may move.

use super::MASK;
use super::patterns::{Found, Patterns, Walk};
use super::places::{COVER, Places, cover};
use super::search::Search;
use serde_json::Value;
use sopwith_core::port::capabilities::Cover;
use std::borrow::Cow;
use std::sync::Arc;

/// What is known as a secret at one moment.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    patterns: Vec<Arc<Patterns>>,
    everything: bool,
}

/// What becomes of the names in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// They are a plugin's, and masked like any text.
    Masked,
    /// They are the host's own, and whoever reads the JSON asks by them.
    Kept,
}

impl Mask {
    pub(super) fn new(searches: impl IntoIterator<Item = Search>) -> Self {
        let mut mask = Self::default();
        for search in searches {
            match search {
                Search::Nothing => {}
                Search::For(patterns) => mask.patterns.push(patterns),
                Search::Everything => mask.everything = true,
            }
        }
        mask
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_idle(&self) -> bool {
        self.patterns.is_empty() && !self.everything
    }

    /// The most bytes before and behind a place that decide what stands there.
    pub(crate) fn reach(&self) -> usize {
        let reach = self.patterns.iter().map(|patterns| patterns.reach()).max();
        // A form may share the characters beside it.
        reach.map_or(0, |reach| reach + 1)
    }

    /// The text with the mask in the place of each value.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.everything && !text.is_empty() {
            return Cow::Borrowed(MASK);
        }
        let places = self.places(text.as_bytes());
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        let masked = places.in_text(text).replace(text.as_bytes());
        Cow::Owned(String::from_utf8(masked).expect("whole characters were replaced by text"))
    }

    /// The JSON with the mask in the place of each value in its strings.
    pub(super) fn json(&self, value: Value, names: Names) -> Value {
        if self.is_idle() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.json(item, names)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| {
                    let name = match names {
                        Names::Masked => self.text(&name).into_owned(),
                        Names::Kept => name,
                    };
                    (name, self.json(value, names))
                })
                .collect(),
            other => other,
        }
    }

    /// The bytes with the mask in the place of each value.
    pub(crate) fn bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if self.everything && !bytes.is_empty() {
            return Cow::Borrowed(MASK.as_bytes());
        }
        let places = self.places(bytes);
        if places.is_empty() {
            return Cow::Borrowed(bytes);
        }
        Cow::Owned(places.replace(bytes))
    }

    /// The same of the first bytes alone. What follows them decides whether a value begins there, so
    /// there should be [`Self::reach`] bytes more, if there are so many.
    pub(crate) fn beginning(&self, mut bytes: Vec<u8>, keep: usize) -> Vec<u8> {
        if self.everything && !bytes.is_empty() {
            return MASK.as_bytes()[..keep.min(MASK.len())].to_vec();
        }
        let places = self.places(&bytes);
        bytes.truncate(keep);
        if places.is_empty() {
            return bytes;
        }
        let mut masked = places.replace(&bytes);
        masked.truncate(keep);
        masked
    }

    /// The first bytes of a text that is cut, with the mask in the place of each value, also of one
    /// that the cut goes through.
    pub(crate) fn start(&self, text: &str, keep: usize) -> String {
        if self.everything && !text.is_empty() {
            return MASK[..keep.min(MASK.len())].to_owned();
        }
        let read = &text[..text.ceil_char_boundary(keep.saturating_add(self.reach()))];
        let kept = &read.as_bytes()[..text.floor_char_boundary(keep)];
        let masked = self.places(read.as_bytes()).in_text(read).replace(kept);
        let mut masked = String::from_utf8(masked).expect("whole characters were replaced by text");
        masked.truncate(masked.floor_char_boundary(keep));
        masked
    }

    /// Covers each byte of each value by a `*`, so that nothing moves.
    pub(crate) fn cover(&self, bytes: &mut [u8]) {
        if self.everything {
            bytes.fill(COVER);
        }
        let places = self.places(bytes);
        cover(places.as_slice(), bytes, 0);
    }

    fn places(&self, bytes: &[u8]) -> Places {
        let mut found = Vec::new();
        for patterns in &self.patterns {
            patterns.walk(&mut Walk::default(), bytes, &mut found);
        }
        Places::new(&found, bytes)
    }

    /// Begins to cover what comes in pieces.
    pub(crate) fn stream(&self) -> Stream {
        let walks = self.patterns.iter();
        Stream {
            walks: walks
                .map(|patterns| (Arc::clone(patterns), Walk::default()))
                .collect(),
            everything: self.everything,
            ..Stream::default()
        }
    }
}

impl Cover for Mask {
    fn reach(&self) -> usize {
        self.reach()
    }

    fn cover(&self, bytes: &mut [u8]) {
        self.cover(bytes);
    }
}

/// Covers values in what comes in pieces, each byte by one `*`, so that all lengths that were
/// announced before stay right. What may be the beginning of a value is held back.
#[derive(Default)]
pub(crate) struct Stream {
    walks: Vec<(Arc<Patterns>, Walk)>,
    everything: bool,
    /// What was not given out yet.
    held: Vec<u8>,
    /// How much was given out.
    given: usize,
    found: Vec<Found>,
}

impl Stream {
    /// Takes the next piece, and gives out what is decided.
    pub(crate) fn next(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let mut decided = self.given + self.held.len();
        for (patterns, walk) in &mut self.walks {
            patterns.walk(walk, piece, &mut self.found);
            decided = decided.min(walk.decided());
        }
        self.give(decided)
    }

    /// Gives out the rest; nothing comes any more.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        self.give(self.given + self.held.len())
    }

    fn give(&mut self, decided: usize) -> Vec<u8> {
        let (offset, count) = (self.given, decided.saturating_sub(self.given));
        let byte = |place: usize| self.held.get(place.checked_sub(offset)?).copied();
        let places: Vec<_> = self.found.iter().map(|found| found.place(byte)).collect();
        let rest = self.held.split_off(count);
        let mut given = std::mem::replace(&mut self.held, rest);
        if self.everything {
            given.fill(COVER);
        }
        cover(&places, &mut given, offset);
        self.given += count;
        // The character behind a form may hold a part of the value, too.
        self.found.retain(|found| found.end + 1 > decided);
        given
    }
}
