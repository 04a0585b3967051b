//! Cuts SQL into tokens, and writes each in one way.

use super::keywords::is_keyword;

/// The tokens of a text of SQL without white space and comments. Names and keywords are in lower
/// case and quoted only where they have to be; strings stay as they are.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = String> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        rest = without_space(rest);
        let first = rest.chars().next()?;
        let length = match first {
            'x' | 'X' if rest[1..].starts_with('\'') => 1 + quoted_length(&rest[1..], '\''),
            '\'' | '"' | '`' => quoted_length(rest, first),
            '[' => quoted_length(rest, ']'),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => operator_length(rest),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(written(token, first))
    })
}

/// The rest of a text behind white space and comments.
fn without_space(mut rest: &str) -> &str {
    loop {
        rest = rest.trim_start();
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return rest;
        };
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of what begins with a quote and ends with this one; two of them are one within.
fn quoted_length(text: &str, end: char) -> usize {
    let mut rest = 1;
    while let Some(found) = text[rest..].find(end) {
        rest += found + 1;
        if end == ']' || !text[rest..].starts_with(end) {
            return rest;
        }
        rest += 1;
    }
    text.len()
}

fn operator_length(text: &str) -> usize {
    let operators = ["->>", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "->"];
    let known = operators.iter().find(|operator| text.starts_with(**operator));
    known.map_or_else(
        || text.chars().next().map_or(0, char::len_utf8),
        |operator| operator.len(),
    )
}

fn written(token: &str, first: char) -> String {
    match first {
        '\'' => token.to_owned(),
        '"' | '`' | '[' if token.len() >= 2 => {
            let inner = &token[1..token.len() - 1];
            let name = match first {
                '"' => inner.replace("\"\"", "\""),
                '`' => inner.replace("``", "`"),
                _ => inner.to_owned(),
            };
            name_written(&name)
        }
        _ => token.to_lowercase(),
    }
}

/// A name that could be nothing else stands without quotes.
fn name_written(name: &str) -> String {
    let name = name.to_lowercase();
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if begins && name.chars().all(is_word) && !is_keyword(&name) {
        return name;
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        assert_eq!(tokens(sql).collect::<Vec<_>>(), expected, "{sql}");
    }

    #[test]
    fn names_are_alike_however_they_are_quoted() {
        for name in ["Patient", "\"patient\"", "`PATIENT`", "[Patient]"] {
            check(name, &["patient"]);
        }
        check("\"order\"", &["\"order\""]);
        check("[my table]", &["\"my table\""]);
    }

    #[test]
    fn strings_stay_and_comments_go() {
        check("'It''s' -- gone\n/* gone */ 1", &["'It''s'", "1"]);
        check("X'AB'", &["x'ab'"]);
        check("a||b<=c", &["a", "||", "b", "<=", "c"]);
    }

    #[test]
    fn what_has_no_end_ends_with_the_text() {
        check("'open", &["'open"]);
        check("/* open", &[]);
        check("\"", &["\""]);
    }
}
