//! Values of SQLite, on their way between the host and the process of a session.

use bytes::Bytes;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use sopwith_core::port::capabilities::SqlValue;

/// A value of one of the storage classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Bytes),
}

/// Rows that are handed over together.
pub(super) type Page = Vec<Vec<Cell>>;

impl Cell {
    /// A value as its storage class says; text that is no UTF-8 is bytes.
    pub(super) fn read(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Blob(Bytes::copy_from_slice(bytes)),
            },
            ValueRef::Blob(bytes) => Self::Blob(Bytes::copy_from_slice(bytes)),
        }
    }

    /// The bytes that it takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&ValueRef::from(self))
    }
}

/// The bytes that a value will take in memory.
pub(super) fn bytes(value: &ValueRef<'_>) -> u64 {
    let content = match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    (size_of::<SqlValue>() + content) as u64
}

/// What SQLite has no storage class for is text, so that money stays exact.
impl From<SqlValue> for Cell {
    fn from(value: SqlValue) -> Self {
        match value {
            SqlValue::Null => Self::Null,
            SqlValue::Boolean(value) => Self::Integer(i64::from(value)),
            SqlValue::Integer(value) => Self::Integer(value),
            SqlValue::Real(value) => Self::Real(value),
            SqlValue::Blob(bytes) => Self::Blob(bytes.into()),
            SqlValue::Decimal(text)
            | SqlValue::Text(text)
            | SqlValue::Timestamp(text)
            | SqlValue::Other { text, .. } => Self::Text(text),
        }
    }
}

impl From<Cell> for SqlValue {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob(bytes) => Self::Blob(bytes.into()),
        }
    }
}

impl<'c> From<&'c Cell> for ValueRef<'c> {
    fn from(cell: &'c Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(value) => Self::Integer(*value),
            Cell::Real(value) => Self::Real(*value),
            Cell::Text(text) => Self::Text(text.as_bytes()),
            Cell::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.into()))
    }
}
