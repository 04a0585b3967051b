//! The ways in which a value may be written in a text: as it is, and in common encodings.

mod base64;
mod escaped;

use std::collections::BTreeMap;

/// An encoding that is shorter says nothing of the value and stands in every text.
const FORM_BYTES_MIN: usize = 6;
/// A longer value (a private key) is looked for without the encodings that escape each character, and
/// without encodings within encodings: with them it would be a hundred times as long.
const LONG_BYTES: usize = 512;
/// A longer value (a document) is looked for as it is and as JSON writes it.
const HUGE_BYTES: usize = 16 << 10;
/// A line of a value of several lines is looked for on its own when it is as long.
const LINE_BYTES_MIN: usize = 16;

/// One way to write a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// What to look for.
    pub(super) text: Vec<u8>,
    /// Whether the character before and the one behind hold a part of the value too.
    pub(super) shared: Shared,
}

/// Characters beside a form that hold some bits of the value, and some of what stands beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shared {
    /// The one before.
    pub(super) before: bool,
    /// The one behind.
    pub(super) behind: bool,
}

/// All ways to write a value, each once.
pub(super) fn of(value: &[u8]) -> Vec<Form> {
    let mut forms = Forms::default();
    forms.add(value.to_vec());
    lines(value).for_each(|line| forms.add(line.to_vec()));
    if value.len() > HUGE_BYTES {
        forms.add(escaped::in_json(value));
        return forms.all();
    }
    let is_long = value.len() > LONG_BYTES;
    // Whoever sends back a whole message sends the value as it was written there, in an encoding of
    // their own.
    let written = if is_long {
        [value.to_vec()].into()
    } else {
        escaped::as_inserted(value)
    };
    for written in written {
        for (text, shared) in base64::all(&written) {
            forms.encoded(text, shared);
        }
        for text in escaped::all(&written, !is_long) {
            forms.encoded(text, Shared::default());
        }
    }
    forms.all()
}

/// The lines of a text of several, since logs are kept line by line. The lines that frame a key
/// are the same for all keys.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = value.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.filter(|line| line.len() >= LINE_BYTES_MIN && !line.starts_with(b"-----"))
}

#[derive(Default)]
struct Forms(BTreeMap<Vec<u8>, Shared>);

impl Forms {
    fn add(&mut self, text: Vec<u8>) {
        self.0.insert(text, Shared::default());
    }

    fn encoded(&mut self, text: Vec<u8>, shared: Shared) {
        if text.len() >= FORM_BYTES_MIN {
            self.0.entry(text).or_insert(shared);
        }
    }

    fn all(self) -> Vec<Form> {
        let forms = self.0.into_iter();
        forms.map(|(text, shared)| Form { text, shared }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_has_few_forms_and_each_once() {
        let forms = of(b"s3cr3tvalue");
        let texts: Vec<_> = forms.iter().map(|form| &form.text).collect();
        let mut unique = texts.clone();
        unique.dedup();
        assert_eq!(texts, unique);
        assert!(texts.len() < 20, "{}", texts.len());
    }

    #[test]
    fn the_lines_of_a_key_are_looked_for_one_by_one_and_its_frame_is_not() {
        let key = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nshort=\n-----END PRIVATE KEY-----";
        let forms = of(key);
        let has = |text: &[u8]| forms.iter().any(|form| form.text == text);
        assert!(has(b"MIIEvQIBADANBgkq"));
        assert!(!has(b"short="));
        assert!(!has(b"-----BEGIN PRIVATE KEY-----"));
    }

    #[test]
    fn a_long_value_is_not_blown_up() {
        let value = "k\"\n".repeat(1000);
        let bytes: usize = of(value.as_bytes()).iter().map(|form| form.text.len()).sum();
        assert!(bytes < 30 * value.len(), "{bytes}");
    }
}
