//! `sopwith:plugin/sql`

use super::handles::{OpenCursor, OpenSession};
use super::{Reply, reply, shown, texts_bytes};
use crate::bindings::sopwith::plugin::sql::{
    Column, DatabaseInfo, Host, HostCursor, HostSession, OtherValue, Value,
};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities as port;
use sopwith_core::port::capabilities::{Answer, SessionMode, SqlValue, VerifyDepth};
use wasmtime::component::Resource;

impl Host for Guest {
    async fn describe(&mut self, database: String) -> Reply<DatabaseInfo> {
        let info = self.call()?.sql().describe(&database).await;
        reply(&self.answered, info.map(DatabaseInfo::from))
    }

    async fn open(
        &mut self,
        database: String,
        mode: String,
        options: types::Pairs,
    ) -> Reply<Resource<OpenSession>> {
        let capabilities = self.call()?;
        let opened = match session_mode(&mode) {
            Ok(mode) => capabilities.sql().open(&database, mode, options).await,
            Err(failure) => Err(failure),
        };
        self.hand_over(opened.map(OpenSession))
    }

    async fn schema(&mut self, database: String) -> Reply<String> {
        reply(&self.answered, self.call()?.sql().schema(&database).await)
    }

    async fn verify(&mut self, database: String, depth: String) -> Reply<Vec<String>> {
        let capabilities = self.call()?;
        match verify_depth(&depth) {
            Ok(depth) => reply(&self.answered, capabilities.sql().verify(&database, depth).await),
            Err(failure) => reply(&self.answered, Err(failure)),
        }
    }

    async fn scratch(&mut self, like: String) -> Reply<String> {
        reply(&self.answered, self.call()?.sql().scratch(&like).await)
    }

    async fn discard(&mut self, scratch: String) -> Reply<()> {
        reply(&self.answered, self.call()?.sql().discard(&scratch).await)
    }
}

impl HostSession for Guest {
    async fn query(
        &mut self,
        session: Resource<OpenSession>,
        statement: String,
        parameters: Vec<Value>,
        options: types::Pairs,
    ) -> Reply<Resource<OpenCursor>> {
        self.call()?;
        let session = &mut self.table.get_mut(&session)?.0;
        let cursor = session.query(&statement, values(parameters), options).await;
        let opened = cursor.and_then(|cursor| {
            let held = self.memory.hold_until_dropped(columns_bytes(&cursor.columns()))?;
            Ok(OpenCursor { cursor, _held: held })
        });
        self.hand_over(opened)
    }

    async fn execute(
        &mut self,
        session: Resource<OpenSession>,
        statement: String,
        parameters: Vec<Value>,
        options: types::Pairs,
    ) -> Reply<u64> {
        self.call()?;
        let session = &mut self.table.get_mut(&session)?.0;
        reply(
            &self.answered,
            session.execute(&statement, values(parameters), options).await,
        )
    }

    async fn commit(&mut self, session: Resource<OpenSession>) -> Reply<()> {
        self.call()?;
        reply(&self.answered, self.table.get_mut(&session)?.0.commit().await)
    }

    async fn schema(&mut self, session: Resource<OpenSession>) -> Reply<String> {
        self.call()?;
        reply(&self.answered, self.table.get_mut(&session)?.0.schema().await)
    }

    async fn drop(&mut self, session: Resource<OpenSession>) -> wasmtime::Result<()> {
        self.table.delete(session)?;
        Ok(())
    }
}

impl HostCursor for Guest {
    async fn columns(&mut self, cursor: Resource<OpenCursor>) -> wasmtime::Result<Vec<Column>> {
        self.call()?;
        let columns = self.table.get(&cursor)?.cursor.columns();
        Ok(columns.into_iter().map(Column::from).collect())
    }

    async fn next(&mut self, cursor: Resource<OpenCursor>, rows_max: u32) -> Reply<Vec<Vec<Value>>> {
        self.call()?;
        let rows = self.table.get_mut(&cursor)?.cursor.next(rows_max).await;
        let row = |row: Vec<SqlValue>| row.into_iter().map(Value::from).collect();
        reply(
            &self.answered,
            rows.map(|rows| rows.into_iter().map(row).collect()),
        )
    }

    async fn drop(&mut self, cursor: Resource<OpenCursor>) -> wasmtime::Result<()> {
        self.table.delete(cursor)?;
        Ok(())
    }
}

fn columns_bytes(columns: &[port::Column]) -> usize {
    texts_bytes(columns.iter().flat_map(|column| [&column.name, &column.kind]))
}

fn session_mode(word: &str) -> Answer<SessionMode> {
    match word {
        "read" => Ok(SessionMode::Read),
        "write" => Ok(SessionMode::Write),
        _ => Err(
            Failure::invalid(format!("`{}` is not a mode of a session", shown(word)))
                .hint("modes are `read` and `write`"),
        ),
    }
}

fn verify_depth(word: &str) -> Answer<VerifyDepth> {
    match word {
        "quick" => Ok(VerifyDepth::Quick),
        "full" => Ok(VerifyDepth::Full),
        _ => Err(
            Failure::invalid(format!("`{}` is not a depth of a check", shown(word)))
                .hint("depths are `quick` and `full`"),
        ),
    }
}

fn values(values: Vec<Value>) -> Vec<SqlValue> {
    values.into_iter().map(SqlValue::from).collect()
}

impl From<Value> for SqlValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Real(value) => Self::Real(value),
            Value::Decimal(text) => Self::Decimal(text),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
            Value::Timestamp(text) => Self::Timestamp(text),
            Value::Other(OtherValue { kind, text }) => Self::Other { kind, text },
        }
    }
}

impl From<SqlValue> for Value {
    fn from(value: SqlValue) -> Self {
        match value {
            SqlValue::Null => Self::Null,
            SqlValue::Boolean(value) => Self::Boolean(value),
            SqlValue::Integer(value) => Self::Integer(value),
            SqlValue::Real(value) => Self::Real(value),
            SqlValue::Decimal(text) => Self::Decimal(text),
            SqlValue::Text(text) => Self::Text(text),
            SqlValue::Blob(bytes) => Self::Blob(bytes),
            SqlValue::Timestamp(text) => Self::Timestamp(text),
            SqlValue::Other { kind, text } => Self::Other(OtherValue { kind, text }),
        }
    }
}

impl From<port::Column> for Column {
    fn from(column: port::Column) -> Self {
        Self {
            name: column.name,
            kind: column.kind,
        }
    }
}

impl From<port::DatabaseInfo> for DatabaseInfo {
    fn from(info: port::DatabaseInfo) -> Self {
        Self {
            engine: info.engine,
            version: info.version,
            bytes: info.bytes,
            extra: info.extra,
        }
    }
}
