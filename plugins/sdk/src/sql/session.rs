//! Transactions and what is asked in them.

use super::{Database, Rows, Value};
use crate::Result;
use crate::bindings::sopwith::plugin::sql as host;
use std::time::Duration;

/// A session that is yet to be opened.
#[derive(Debug)]
#[must_use]
pub struct Opening<'a> {
    database: &'a Database,
    options: Vec<(String, String)>,
}

impl<'a> Opening<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        let options = Vec::new();
        Self { database, options }
    }

    /// Cuts off each statement that takes longer.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        let timeout_ms = crate::milliseconds(timeout).to_string();
        self.options.push(("statement-timeout-ms".to_owned(), timeout_ms));
        self
    }

    /// Begins a read-only snapshot.
    pub fn read(self) -> Result<Session> {
        self.open("read")
    }

    /// Begins a transaction that is rolled back unless it is committed.
    pub fn write(self) -> Result<Session> {
        self.open("write")
    }

    fn open(self, mode: &str) -> Result<Session> {
        let handle = host::open(self.database.name(), mode, &self.options)?;
        Ok(Session { handle })
    }
}

/// One transaction: a read-only snapshot, or a write that is rolled back unless committed.
#[derive(Debug)]
pub struct Session {
    handle: host::Session,
}

impl Session {
    /// Asks for rows. [`parameters!`](crate::parameters) makes the second argument.
    pub fn query(&self, statement: &str, parameters: &[Value]) -> Result<Rows<'_>> {
        let cursor = self.handle.query(statement, parameters, &[])?;
        Ok(Rows::new(self, cursor))
    }

    /// Asks for the first row.
    pub fn query_row(&self, statement: &str, parameters: &[Value]) -> Result<Option<super::Row>> {
        self.query(statement, parameters)?.next().transpose()
    }

    /// Changes rows; says how many.
    pub fn execute(&self, statement: &str, parameters: &[Value]) -> Result<u64> {
        Ok(self.handle.execute(statement, parameters, &[])?)
    }

    /// Makes what was written last.
    pub fn commit(self) -> Result<()> {
        Ok(self.handle.commit()?)
    }

    /// The normalised DDL as this transaction sees it.
    pub fn schema(&self) -> Result<String> {
        Ok(self.handle.schema()?)
    }
}
