//! Escapes what could play tricks on a terminal.

use std::fmt::Write as _;

/// A text of one line.
pub(super) fn line(text: &str) -> String {
    escape(text, |c| c.is_control() || is_bidirectional(c))
}

/// A text that may have several lines.
pub(super) fn lines(text: &str) -> String {
    escape(text, |c| {
        (c.is_control() && c != '\n' && c != '\t') || is_bidirectional(c)
    })
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

    #[test]
    fn escape_sequences_and_turned_text_reach_no_terminal() {
        assert_eq!(
            line("\u{1b}[2Jok\r\nrun succeeded"),
            "\\u001b[2Jok\\u000d\\nrun succeeded"
        );
        assert_eq!(lines("a\nb\u{202e}c"), "a\nb\\u202ec");
    }
}
