//! How a value looks where some of its characters are escaped, as the libraries in use write them.

use std::collections::BTreeSet;

/// What percent-encodings leave as it is, besides letters and digits: RFC 3986, `encodeURIComponent`,
/// Python's `quote`, `encodeURI`, browsers within a query, and those that leave nothing.
const LEFT_IN_URLS: [&str; 6] = [
    "-._~",
    "-_.!~*'()",
    "-._~/",
    "-_.!~*'();,/?:@&=+$#",
    "!$%&()*+,-./:;=?@[\\]^_`{|}~",
    "",
];
/// The same for forms, where a space is a `+`: the web standard, and Python's `quote_plus`.
const LEFT_IN_FORMS: [&str; 2] = ["*-._", "-._~"];

/// The value in hexadecimal, in URLs and forms, and as JSON and HTML write a text; `every` adds those in which each
/// single character is escaped.
pub(super) fn all(value: &[u8], every: bool) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for upper in [false, true] {
        forms.push(value.iter().map(|byte| hexadecimal(*byte, upper)).collect());
        forms.extend(LEFT_IN_URLS.map(|left| percent(value, left, upper)));
        forms.extend(LEFT_IN_FORMS.map(|left| percent(value, left, upper).replace("%20", "+")));
        if every {
            let escaped = |byte: &u8| format!("%{}", hexadecimal(*byte, upper));
            forms.push(value.iter().map(escaped).collect());
        }
    }
    if let Ok(text) = std::str::from_utf8(value) {
        forms.extend(json_texts(text));
        forms.extend(html_texts(text));
        if every {
            forms.extend([false, true].map(|upper| json(text, |_| true, upper)));
            forms.push(html(text, |c| Some(format!("&#{};", u32::from(c)))));
            forms.push(html(text, |c| Some(format!("&#x{:x};", u32::from(c)))));
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// The value in the ways in which the host puts it into a request, each once.
pub(super) fn as_inserted(value: &[u8]) -> BTreeSet<Vec<u8>> {
    let query = percent(value, "*-._", true);
    let form = query.replace("%20", "+");
    [
        value.to_vec(),
        in_json(value),
        query.into_bytes(),
        form.into_bytes(),
    ]
    .into()
}

/// The value as JSON writes it with as few escapes as it can.
pub(super) fn in_json(value: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(value);
    text.map_or_else(
        |_| value.to_vec(),
        |text| json(text, |_| false, false).into_bytes(),
    )
}

fn hexadecimal(byte: u8, upper: bool) -> String {
    if upper {
        format!("{byte:02X}")
    } else {
        format!("{byte:02x}")
    }
}

fn percent(value: &[u8], left: &str, upper: bool) -> String {
    let mut text = String::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() || left.as_bytes().contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.push_str(&hexadecimal(*byte, upper));
        }
    }
    text
}

/// As JavaScript, Python, PHP, Go and .NET write it, with and without `\/`; and JSON within JSON.
fn json_texts(text: &str) -> Vec<String> {
    let plain = json(text, |_| false, false);
    let ascii = json(text, |c| !c.is_ascii(), false);
    let go = json(
        text,
        |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        false,
    );
    let net = json(
        text,
        |c| !c.is_ascii() || matches!(c, '"' | '\'' | '<' | '>' | '&' | '+' | '`'),
        true,
    );
    vec![
        json(&plain, |_| false, false),
        plain.replace('/', "\\/"),
        ascii.replace('/', "\\/"),
        plain,
        ascii,
        go,
        net,
    ]
}

fn json(text: &str, by_number: impl Fn(char) -> bool, upper: bool) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => "",
        };
        if by_number(c) || (short.is_empty() && c.is_ascii_control()) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str("\\u");
                for byte in unit.to_be_bytes() {
                    escaped.push_str(&hexadecimal(byte, upper));
                }
            }
        } else if short.is_empty() {
            escaped.push(c);
        } else {
            escaped.push_str(short);
        }
    }
    escaped
}

/// With the quotes as they are, and in the ways in which libraries escape them.
fn html_texts(text: &str) -> Vec<String> {
    let quotes = [
        ("\"", "'"),
        ("&quot;", "'"),
        ("&quot;", "&#39;"),
        ("&quot;", "&#x27;"),
        ("&quot;", "&apos;"),
        ("&#34;", "&#39;"),
    ];
    let texts = quotes.map(|(double, single)| {
        html(text, |c| {
            let entity = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => double,
                '\'' => single,
                _ => return None,
            };
            Some(entity.to_owned())
        })
    });
    let go = texts[5].replace('+', "&#43;");
    texts.into_iter().chain([go]).collect()
}

fn html(text: &str, entity: impl Fn(char) -> Option<String>) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match entity(c) {
            Some(entity) => escaped.push_str(&entity),
            None => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_libraries() {
        let forms = all("a b/\"<é\n'".as_bytes(), true);
        for expected in [
            "a%20b%2F%22%3C%C3%A9%0A%27",
            "a%20b%2f%22%3c%c3%a9%0a%27",
            "a%20b/%22%3C%C3%A9%0A%27",
            "a+b%2F%22%3C%C3%A9%0A%27",
            "%61%20%62%2F%22%3C%C3%A9%0A%27",
            "a b/\\\"<é\\n'",
            "a b\\/\\\"<\\u00e9\\n'",
            "a b/\\u0022\\u003C\\u00E9\\n\\u0027",
            "a b/\\\\\\\"<é\\\\n'",
            "a b/&quot;&lt;é\n&#x27;",
            "a b/&#34;&lt;é\n&#39;",
            "\\u0061\\u0020\\u0062\\u002f\\u0022\\u003c\\u00e9\\u000a\\u0027",
            "&#97;&#32;&#98;&#47;&#34;&#60;&#233;&#10;&#39;",
        ] {
            let found = forms.iter().any(|form| form == expected.as_bytes());
            assert!(found, "{expected}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_has_the_encodings_of_bytes() {
        let value = b"\xff\x00\xfe";
        let forms = all(value, false);
        assert!(forms.contains(&b"ff00fe".to_vec()));
        assert!(forms.contains(&b"%FF%00%FE".to_vec()));
    }
}
