//! Values of databases, and what they are to Rust.

use crate::bindings::sopwith::plugin::sql as host;
use serde::{Serialize, Serializer};
use std::fmt::{self, Display};

pub use host::Value;

impl Value {
    /// What sort of value it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "text",
            Self::Blob(_) => "a blob",
            Self::Timestamp(_) => "a timestamp",
            Self::Other(_) => "a value of the engine's own",
        }
    }
}

/// For people: text as it is, a blob in hexadecimal.
impl Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("NULL"),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Real(value) => value.fmt(formatter),
            Self::Decimal(text) | Self::Text(text) | Self::Timestamp(text) => text.fmt(formatter),
            Self::Blob(bytes) => bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}")),
            Self::Other(other) => other.text.fmt(formatter),
        }
    }
}

/// As plain JSON: null, booleans and numbers as such, all else as its text.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            other => serializer.collect_str(other),
        }
    }
}

macro_rules! into_value {
    ($($kind:ty => |$value:ident| $made:expr;)+) => {$(
        impl From<$kind> for Value {
            fn from($value: $kind) -> Self {
                $made
            }
        }
    )+};
}

into_value! {
    bool => |value| Self::Boolean(value);
    i64 => |value| Self::Integer(value);
    i32 => |value| Self::Integer(value.into());
    u32 => |value| Self::Integer(value.into());
    f64 => |value| Self::Real(value);
    &str => |value| Self::Text(value.to_owned());
    &String => |value| Self::Text(value.clone());
    String => |value| Self::Text(value);
    &[u8] => |value| Self::Blob(value.to_vec());
    Vec<u8> => |value| Self::Blob(value);
    jiff::Timestamp => |value| Self::Timestamp(value.to_string());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a value of a database can be read as.
pub trait FromValue: Sized {
    /// What is expected, with its article.
    const WANTED: &'static str;

    /// The value as this type, if it is one.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($kind:ty as $wanted:literal: $($pattern:pat => $made:expr),+;)+) => {$(
        impl FromValue for $kind {
            const WANTED: &'static str = $wanted;

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $($pattern => $made,)+
                    _ => None,
                }
            }
        }
    )+};
}

from_value! {
    String as "text":
        Value::Text(text) | Value::Decimal(text) | Value::Timestamp(text) => Some(text.clone()),
        Value::Other(other) => Some(other.text.clone());
    Vec<u8> as "a blob": Value::Blob(bytes) => Some(bytes.clone());
    // SQLite has no booleans; its integers stand for them.
    bool as "a boolean":
        Value::Boolean(value) => Some(*value),
        Value::Integer(value @ (0 | 1)) => Some(*value == 1);
    f64 as "a real number":
        Value::Real(value) => Some(*value),
        // Whole numbers come back as integers from columns without a type.
        Value::Integer(value) => i32::try_from(*value).ok().map(f64::from);
    jiff::Timestamp as "a timestamp":
        Value::Timestamp(text) | Value::Text(text) => text.parse().ok();
}

macro_rules! integer_from_value {
    ($($kind:ty),+) => {$(
        impl FromValue for $kind {
            const WANTED: &'static str = "an integer";

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }
        }
    )+};
}

integer_from_value!(i64, u64, i32, u32, u16, u8, usize);

impl<T: FromValue> FromValue for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for Value {
    const WANTED: &'static str = "anything";

    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

/// The parameters of a statement, of whatever types: `parameters![7, "Ada", None::<i64>]`.
#[macro_export]
macro_rules! parameters {
    ($($value:expr),* $(,)?) => {
        &[$($crate::sql::Value::from($value)),*]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: impl Into<Value>, json: &str, display: &str) {
        let value = value.into();
        assert_eq!(serde_json::to_string(&value).expect("it is JSON"), json);
        assert_eq!(value.to_string(), display);
    }

    #[test]
    fn values_are_plain_in_json_and_in_text() {
        check(None::<i64>, "null", "NULL");
        check(true, "true", "true");
        check(-3, "-3", "-3");
        check(0.5, "0.5", "0.5");
        check("it's", "\"it's\"", "it's");
        check(vec![0_u8, 0xAB], "\"00ab\"", "00ab");
        check(Value::Decimal("1.10".to_owned()), "\"1.10\"", "1.10");
    }
}
