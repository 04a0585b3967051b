//! Masks values that are secrets, and escapes what could play tricks on a terminal.

use serde_json::Value;
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

/// What stands in the place of a secret.
const MASK: &str = "[redacted]";
/// Values that are masked one by one; beyond that every text is masked as a whole, so that
/// neither time nor a secret runs away.
const VALUES_MAX: usize = 256;
/// The same for the bytes of all values together.
const VALUES_BYTES_MAX: usize = 256 << 10;

/// The values that may not be kept in any text.
#[derive(Default)]
pub(crate) struct Redaction {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Longest first, so that a secret within a secret leaves no rest.
    values: Vec<String>,
    bytes: usize,
    too_many: bool,
}

impl Redaction {
    /// Masks this value from now on, as it is and as JSON writes it.
    pub(crate) fn add(&self, value: &str) {
        if value.is_empty() {
            return;
        }
        let quoted = Value::from(value).to_string();
        let in_json = &quoted[1..quoted.len() - 1];
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for value in [value, in_json] {
            known.add(value);
        }
    }

    /// A text of one line.
    pub(crate) fn line(&self, text: &str) -> String {
        escape(&self.mask(text), |c| c.is_control() || is_bidirectional(c))
    }

    /// A text that may have several lines.
    pub(crate) fn text(&self, text: &str) -> String {
        escape(&self.mask(text), |c| {
            (c.is_control() && c != '\n' && c != '\t') || is_bidirectional(c)
        })
    }

    /// The strings of JSON; they are data, so nothing is escaped.
    pub(crate) fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.mask(&name), self.json(value)))
                .collect(),
            other => other,
        }
    }

    /// The content of a file; only what is text can be masked.
    pub(crate) fn evidence(&self, content: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(content) {
            Ok(text) => self.mask(&text).into_bytes(),
            Err(other) => other.into_bytes(),
        }
    }

    fn mask(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.too_many {
            return MASK.to_owned();
        }
        let mut masked = text.to_owned();
        for value in &known.values {
            if masked.contains(value.as_str()) {
                masked = masked.replace(value.as_str(), MASK);
            }
        }
        masked
    }
}

impl Known {
    fn add(&mut self, value: &str) {
        if self.too_many || self.values.iter().any(|known| known == value) {
            return;
        }
        self.bytes += value.len();
        self.too_many = self.values.len() >= VALUES_MAX || self.bytes > VALUES_BYTES_MAX;
        let place = self.values.partition_point(|known| known.len() >= value.len());
        self.values.insert(place, value.to_owned());
    }
}

/// Writes an escape of JSON, which people know and which leaves JSON text valid.
fn escape(text: &str, harmful: impl Fn(char) -> bool) -> String {
    if !text.chars().any(&harmful) {
        return text.to_owned();
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 16), |mut clean, c| {
            match c {
                '\n' if harmful(c) => clean.push_str("\\n"),
                '\t' if harmful(c) => clean.push_str("\\t"),
                _ if harmful(c) => {
                    let _ = write!(clean, "\\u{:04x}", u32::from(c));
                }
                _ => clean.push(c),
            }
            clean
        })
}

/// Characters that turn the direction of what follows, and so show another text than there is.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_masked_in_text_and_json_however_it_is_written() {
        let redaction = Redaction::default();
        redaction.add("pass");
        redaction.add("pass\"word");
        assert_eq!(redaction.line("it is pass\"word"), "it is [redacted]");
        assert_eq!(
            redaction.text("{\"a\":\"pass\\\"word\"}"),
            "{\"a\":\"[redacted]\"}"
        );
        assert_eq!(
            redaction.json(json!({"pass": ["my pass\"word", 7]})),
            json!({"[redacted]": ["my [redacted]", 7]})
        );
    }

    #[test]
    fn escape_sequences_and_turned_text_reach_no_terminal() {
        let redaction = Redaction::default();
        assert_eq!(
            redaction.line("\u{1b}[2Jok\r\nrun succeeded"),
            "\\u001b[2Jok\\u000d\\nrun succeeded"
        );
        assert_eq!(redaction.text("a\nb\u{202e}c"), "a\nb\\u202ec");
    }

    #[test]
    fn too_many_secrets_mask_everything() {
        let redaction = Redaction::default();
        for number in 0..=VALUES_MAX {
            redaction.add(&format!("secret-{number}-"));
        }
        assert_eq!(redaction.line("anything"), MASK);
    }
}
