//! Values of SQLite and values of the contract.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use sopwith_core::port::capabilities::SqlValue;

/// A parameter of a statement. What SQLite has no storage class for is text, so that money
/// stays exact.
pub(super) struct Parameter(pub(super) SqlValue);

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match &self.0 {
            SqlValue::Null => ValueRef::Null,
            SqlValue::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            SqlValue::Integer(value) => ValueRef::Integer(*value),
            SqlValue::Real(value) => ValueRef::Real(*value),
            SqlValue::Blob(bytes) => ValueRef::Blob(bytes),
            SqlValue::Decimal(text)
            | SqlValue::Text(text)
            | SqlValue::Timestamp(text)
            | SqlValue::Other { text, .. } => ValueRef::Text(text.as_bytes()),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// A value as its storage class says; text that is no UTF-8 is bytes.
pub(super) fn read(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Real(value) => SqlValue::Real(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => SqlValue::Text(text.to_owned()),
            Err(_) => SqlValue::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// The bytes that a value takes in memory.
pub(super) fn bytes(value: &SqlValue) -> u64 {
    let content = match value {
        SqlValue::Text(text) => text.len(),
        SqlValue::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    (size_of::<SqlValue>() + content) as u64
}
