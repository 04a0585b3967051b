//! Texts of a plugin that an operator gets to see before anything was run: on a terminal, in a log.

use serde_json::Value;

/// A line that somebody reads.
const LINE_BYTES_MAX: usize = 1 << 10;
/// As much of a message as anybody reads.
const SHOWN_BYTES_MAX: usize = 2 << 10;

/// Fails for a text that is no single line, or shows something else than there is.
pub(crate) fn check_line(what: &str, text: &str) -> Result<(), String> {
    if text.len() > LINE_BYTES_MAX {
        let bytes = text.len();
        return Err(format!("{what} has {bytes} bytes, and may have {LINE_BYTES_MAX}"));
    }
    match text.chars().find(|c| c.is_control() || is_deceptive(*c)) {
        Some(c) => Err(format!(
            "{what} has the character {}, which no line may have",
            named(c)
        )),
        None => Ok(()),
    }
}

/// The same for every text in JSON; what is said there of a setting may have several lines.
pub(crate) fn check_json(what: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_text(what, text),
        Value::Array(items) => items.iter().try_for_each(|item| check_json(what, item)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            check_line(what, name)?;
            check_json(what, field)
        }),
        _ => Ok(()),
    }
}

fn check_text(what: &str, text: &str) -> Result<(), String> {
    let harmful = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_deceptive(*c);
    match text.chars().find(harmful) {
        Some(c) => Err(format!(
            "{what} has the character {}, which no text may have",
            named(c)
        )),
        None => Ok(()),
    }
}

/// A message that may hold anything, as one line that is not too long and hides nothing.
pub(crate) fn shown(message: &str) -> String {
    let mut shown = String::new();
    for c in message.chars() {
        if c.is_control() || is_deceptive(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        if shown.len() > SHOWN_BYTES_MAX {
            shown.push('…');
            break;
        }
    }
    shown
}

/// Characters that are not seen, or that turn the direction of what follows.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn named(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_that_shows_something_else_than_there_is_is_refused() {
        let said = |text: &str| check_line("`summary`", text).err().unwrap_or_default();
        assert_eq!(said("Prüft die Sicherung."), "");
        assert!(said("a\nerror: b").contains("U+000A"));
        assert!(said("a\u{1b}[2Jb").contains("U+001B"));
        assert!(said("a\u{202e}b").contains("U+202E"));
        assert!(said(&"x".repeat(1025)).contains("has 1025 bytes"));
        let schema = |text: &str| {
            check_json(
                "`settings`",
                &json!({ "properties": { text: { "description": "a\nb" } } }),
            )
        };
        assert!(schema("url").is_ok());
        assert!(schema("u\nrl").is_err());
        assert!(check_json("x", &json!([{ "description": "a\rb" }])).is_err());
    }

    #[test]
    fn message_is_one_line_of_some_length() {
        assert_eq!(shown("no `a\u{1b}[2J\n`"), "no `a\\u{1b}[2J\\u{a}`");
        assert!(shown(&"x".repeat(1 << 20)).len() < SHOWN_BYTES_MAX + 10);
    }
}
