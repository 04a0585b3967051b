//! Databases.

use super::{Answer, Pairs};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A value of a database.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the cases of the contract's `sql.value`")]
pub enum SqlValue {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Decimal(String),
    Text(String),
    Blob(Vec<u8>),
    Timestamp(String),
    Other { kind: String, text: String },
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its declared type; empty where there is none.
    pub kind: String,
}

/// What is known of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseInfo {
    /// `sqlite`.
    pub engine: String,
    /// Of the engine.
    pub version: String,
    /// Its size.
    pub bytes: u64,
    /// Further names with values.
    pub extra: Pairs,
}

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionMode {
    /// A read-only snapshot.
    Read,
    /// A write that is rolled back unless committed.
    Write,
}

/// How thoroughly a database is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VerifyDepth {
    /// Pages and structure.
    Quick,
    /// Indices against tables, and foreign keys, too.
    Full,
}

/// Databases.
#[async_trait]
pub trait Sql: Send + Sync {
    /// What is known of it.
    async fn describe(&self, database: &str) -> Answer<DatabaseInfo>;
    /// One transaction.
    async fn open(&self, database: &str, mode: SessionMode, options: Pairs) -> Answer<Box<dyn Session>>;
    /// The normalised DDL.
    async fn schema(&self, database: &str) -> Answer<String>;
    /// The engine's own checks; the problems found.
    async fn verify(&self, database: &str, depth: VerifyDepth) -> Answer<Vec<String>>;
    /// An empty database on the engine of `like`; returns its name.
    async fn scratch(&self, like: &str) -> Answer<String>;
    /// Removes it.
    async fn discard(&self, scratch: &str) -> Answer<()>;
}

/// One transaction; dropped, it is rolled back.
#[async_trait]
pub trait Session: Send + Sync {
    /// Begins to read rows.
    async fn query(
        &mut self,
        statement: &str,
        parameters: Vec<SqlValue>,
        options: Pairs,
    ) -> Answer<Box<dyn Cursor>>;
    /// Changes rows, and returns how many.
    async fn execute(&mut self, statement: &str, parameters: Vec<SqlValue>, options: Pairs) -> Answer<u64>;
    /// Makes the changes durable.
    async fn commit(&mut self) -> Answer<()>;
    /// The normalised DDL as this snapshot sees it.
    async fn schema(&mut self) -> Answer<String>;
}

/// Rows that are still to be read.
#[async_trait]
pub trait Cursor: Send + Sync {
    /// Their columns.
    fn columns(&self) -> Vec<Column>;
    /// The next rows; none at the end.
    async fn next(&mut self, rows_max: u32) -> Answer<Vec<Vec<SqlValue>>>;
}
