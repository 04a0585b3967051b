//! Reads the JSON that a guest hands over.

use serde_json::Value;
use sopwith_core::failure::Failure;
use sopwith_core::nesting::nesting;

/// How deep it may nest. The record wraps it in a few levels more, and whoever reads the record
/// gives up at 128 at the latest.
const NESTING_MAX: usize = 64;

/// What the parts of JSON take at most in memory, besides the text itself: a table has a node for
/// some entries even if it has but one, and a list doubles when it grows.
const TABLE_BYTES: usize = 700;
const LIST_BYTES: usize = 4 * VALUE_BYTES;
const VALUE_BYTES: usize = 64;

/// How many bytes the value in this text takes at most.
pub(crate) fn memory(text: &str) -> usize {
    let part = |byte| match byte {
        b'{' => TABLE_BYTES,
        b'[' => LIST_BYTES,
        b',' | b':' => VALUE_BYTES,
        _ => 0,
    };
    // What looks like JSON within a text counts, too; it would be strange to have much of that.
    text.len() + text.bytes().map(part).sum::<usize>()
}

/// The value in this text; `what` is what it is of.
pub(crate) fn read(what: &str, text: &str) -> Result<Value, Failure> {
    if nesting(text) > NESTING_MAX {
        let message = format!("{what} nests deeper than {NESTING_MAX} levels");
        return Err(Failure::limit("nesting", message));
    }
    serde_json::from_str(text).map_err(|error| Failure::invalid(format!("{what} is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, limit: Option<&str>, expected: &str) {
        let (said, reached) = match read("the output", text) {
            Ok(value) => (value.to_string(), None),
            Err(failure) => (failure.message, failure.extra.into_iter().next()),
        };
        assert!(said.contains(expected), "{said}");
        assert_eq!(reached.as_ref().map(|(_, limit)| limit.as_str()), limit);
    }

    #[test]
    fn json_that_nests_too_deep_for_the_record_reaches_a_limit() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        check(&deep(64), None, "[[");
        check(
            &deep(65),
            Some("nesting"),
            "the output nests deeper than 64 levels",
        );
        check(&deep(10_000), Some("nesting"), "nests deeper");
        check(&format!("\"\\\"{}\"", "[".repeat(100)), None, "[[");
        check("]]", None, "the output is not JSON");
    }
}
