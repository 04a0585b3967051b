//! Where values stand in bytes, and what is put in their place.

use super::MASK;
use super::patterns::Found;
use std::ops::Range;

/// What is put in the place of each byte where nothing may move.
pub(super) const COVER: u8 = b'*';

/// Places of values: in order, apart from each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places(Vec<Range<usize>>);

impl Places {
    /// Joins what was found in these bytes; a character that holds a part of a value is one of its own.
    pub(super) fn new(found: &[Found], bytes: &[u8]) -> Self {
        let byte = |place: usize| bytes.get(place).copied();
        let mut places: Vec<_> = found.iter().map(|found| found.place(byte)).collect();
        places.sort_unstable_by_key(|place| (place.start, place.end));
        places.dedup_by(|next, joined| {
            let touch = next.start <= joined.end;
            if touch {
                joined.end = joined.end.max(next.end);
            }
            touch
        });
        Self(places)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[Range<usize>] {
        &self.0
    }

    /// Widens each place to whole characters, so that what is left is text.
    #[must_use]
    pub(super) fn in_text(self, text: &str) -> Self {
        let widened =
            |place: &Range<usize>| text.floor_char_boundary(place.start)..text.ceil_char_boundary(place.end);
        Self(self.0.iter().map(widened).collect())
    }

    /// The first bytes with the mask in the place of each value, even if it goes on behind them.
    pub(super) fn replace(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(bytes.len());
        let mut done = 0;
        for place in self.0.iter().take_while(|place| place.start < bytes.len()) {
            // Widened places may touch.
            masked.extend_from_slice(&bytes[done.min(place.start)..place.start]);
            masked.extend_from_slice(MASK.as_bytes());
            done = place.end;
        }
        masked.extend_from_slice(bytes.get(done..).unwrap_or_default());
        masked
    }
}

/// Covers these places in bytes that begin at `offset`, without moving anything.
pub(super) fn cover(places: &[Range<usize>], bytes: &mut [u8], offset: usize) {
    let end = bytes.len();
    for place in places {
        let within = |place: usize| place.saturating_sub(offset).min(end);
        bytes[within(place.start)..within(place.end)].fill(COVER);
    }
}

impl Found {
    /// The place of the form, with the characters beside it that hold a part of the value.
    pub(super) fn place(&self, byte: impl Fn(usize) -> Option<u8>) -> Range<usize> {
        let holds_a_part = |place: Option<usize>| place.and_then(&byte).is_some_and(is_base64);
        let before = self.shared.before && holds_a_part(self.start.checked_sub(1));
        let behind = self.shared.behind && holds_a_part(Some(self.end));
        self.start - usize::from(before)..self.end + usize::from(behind)
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}
