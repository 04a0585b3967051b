//! How values lie in columns: instants as text that sorts, digests as bytes, the rest as JSON.

use crate::fault::{Fault, Outcome};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sopwith_core::nesting::nesting;
use sopwith_core::port::StoreError;
use std::any::type_name;
use std::fmt::Display;
use std::str::FromStr;

/// The deepest JSON that is kept. The parser gives up at 128, and whatever passes a value on wraps
/// it in a few levels more; a value that could not be read again would make its whole row unreadable.
const NESTING_MAX: usize = 120;

/// An instant as text whose order is the order in time.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Reads what was written as text: a name, an id, an instant.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: &str) -> Outcome<T> {
    text.parse().map_err(|error: T::Err| unreadable::<T>(&error))
}

/// Writes JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Outcome<String> {
    let text = serde_json::to_string(value).map_err(|error| StoreError::Broken(error.to_string()))?;
    let levels = nesting(&text);
    if levels > NESTING_MAX {
        let why = format!("a value has {levels} levels of nesting, and {NESTING_MAX} can be kept");
        return Err(StoreError::Unfit(why).into());
    }
    Ok(text)
}

/// Reads JSON.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|error| unreadable::<T>(&error))
}

/// A value that is not what the host writes.
pub(crate) fn unreadable<T>(why: &impl Display) -> Fault {
    Fault::Value {
        type_name: type_name::<T>(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn instants_sort_as_text_as_they_do_in_time() {
        let instants = [
            Timestamp::MIN,
            Timestamp::UNIX_EPOCH,
            "2026-03-01T00:00:00Z".parse().unwrap(),
            "2026-03-01T00:00:00.5Z".parse().unwrap(),
            Timestamp::MAX,
        ];
        let texts = instants.map(instant);
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts.map(|text| parsed::<Timestamp>(&text).unwrap()), instants);
    }

    #[test]
    fn nesting_does_not_count_brackets_in_text() {
        assert_eq!(
            nesting(&json!({ "a": ["[[[[", "\"[\\"], "b[": 1 }).to_string()),
            2
        );
    }

    #[test]
    fn what_is_too_deep_to_be_read_again_is_not_written() {
        let deep = |levels| (0..levels).fold(Value::Null, |inner, _| json!([inner]));
        let written = to_json(&deep(NESTING_MAX)).unwrap();
        assert_eq!(from_json::<Value>(&written).unwrap(), deep(NESTING_MAX));
        assert!(to_json(&deep(NESTING_MAX + 1)).is_err());
    }
}
