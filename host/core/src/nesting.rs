//! How deep JSON nests.

/// How deep arrays and objects lie in each other in this text.
///
/// It is found in the text, since a parser gives up on what is far too deep with an error like any
/// other. A text that is no JSON has some depth, too.
pub fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::nesting;

    #[test]
    fn only_brackets_outside_of_text_count() {
        for (json, levels) in [
            ("1", 0),
            ("[]", 1),
            (r#"{"a":[{}],"b":[]}"#, 3),
            (r#"["[[\"[["]"#, 1),
            ("]][", 1),
        ] {
            assert_eq!(nesting(json), levels, "{json}");
        }
    }
}
