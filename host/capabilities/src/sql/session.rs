//! A session as its owner sees it; the work is done by the session's process.

use super::SESSIONS_MAX;
use super::policy::Policy;
use super::process::wire::{Bounds, Call, Order, Request, Task};
use super::process::{Process, ended};
use super::value::{Cell, Page};
use super::worker::Opened;
use crate::databases::{DatabaseFile, Databases};
use crate::gate::{Gate, Proceed};
use crate::masking;
use crate::options::statement_timeout;
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{Answer, Column, Cursor, Pairs, Session, SessionMode, SqlValue};
use std::os::unix::ffi::OsStringExt as _;
use std::sync::{Arc, Mutex as Short, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit};

/// As much of a statement as the record shows.
const SHOWN_BYTES_MAX: usize = 200;
/// What the engine of one session needs in any case.
const MEMORY_BYTES_MIN: u64 = 32 << 20;

/// One transaction of a plugin.
pub(super) struct SqliteSession {
    gate: Arc<Gate>,
    file: DatabaseFile,
    mode: SessionMode,
    time: Option<Duration>,
    line: Arc<Line>,
}

/// What a session and its cursors share: the way to the process.
struct Line {
    /// None once the session is gone.
    process: Mutex<Option<Process>>,
    /// Cursors that are no longer needed.
    closed: Short<Vec<u64>>,
}

impl SqliteSession {
    /// Opens a session; it holds the permit until its process has ended.
    pub(super) async fn open(
        gate: Arc<Gate>,
        databases: &Databases,
        file: DatabaseFile,
        mode: SessionMode,
        time: Option<Duration>,
        permit: OwnedSemaphorePermit,
    ) -> Answer<Self> {
        let order = order(
            Task::Serve(policy(&gate, &file, mode)),
            &file,
            &gate.attempt().limits,
        )?;
        let (program, directory) = (&databases.program, databases.scratches.directory());
        let started = Process::start(Arc::clone(&gate), program, directory, &order, Some(permit));
        let (process, ()) = started.await?;
        let line = Arc::new(Line {
            process: Mutex::new(Some(process)),
            closed: Short::default(),
        });
        Ok(Self {
            gate,
            file,
            mode,
            time,
            line,
        })
    }

    fn call(&self, statement: &str, parameters: Vec<SqlValue>, options: &Pairs) -> Answer<Call> {
        Ok(Call {
            statement: statement.to_owned(),
            parameters: parameters.into_iter().map(Into::into).collect(),
            time: statement_timeout(options)?.or(self.time),
        })
    }

    fn is_pretended(&self) -> bool {
        self.gate.dry_run() && !self.file.is_scratch()
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // A cursor that is being read holds the line, and ends with the attempt.
        if let Ok(mut process) = self.line.process.try_lock() {
            process.take();
        }
    }
}

impl Line {
    async fn ask<T: DeserializeOwned>(&self, request: &Request, time: Option<Duration>) -> Answer<T> {
        let mut process = self.process.lock().await;
        let process = process.as_mut().ok_or_else(ended)?;
        let closed = std::mem::take(&mut *self.closed.lock().unwrap_or_else(PoisonError::into_inner));
        for cursor in closed {
            process.close_cursor(cursor).await;
        }
        process.ask(request, time).await
    }
}

/// What a process is told about a database.
pub(super) fn order(task: Task, file: &DatabaseFile, limits: &Limits) -> Answer<Order> {
    // The process works in another directory.
    let path = std::path::absolute(&file.path)
        .map_err(|error| Failure::host(format!("the path of `{}` cannot be told: {error}", file.name)))?;
    Ok(Order {
        task,
        database: file.name.clone(),
        path: path.into_os_string().into_vec(),
        bytes_max: file.bytes_max,
        bounds: Bounds {
            rows: limits.rows,
            query_bytes: limits.query_bytes,
            memory_bytes: memory_bytes(limits),
            scratch_bytes: limits.scratch_bytes,
        },
    })
}

/// What the engine of one session may take. All sessions together take no more memory than the
/// attempt may have, or than they need in any case; a process that only looks takes as much for as
/// long as that.
fn memory_bytes(limits: &Limits) -> u64 {
    (limits.memory_bytes / SESSIONS_MAX as u64).max(MEMORY_BYTES_MIN)
}

#[async_trait]
impl Session for SqliteSession {
    async fn query(
        &mut self,
        statement: &str,
        parameters: Vec<SqlValue>,
        options: Pairs,
    ) -> Answer<Box<dyn Cursor>> {
        let call = self.call(statement, parameters, &options)?;
        let time = call.time;
        let (id, columns): Opened = self.line.ask(&Request::Query(call), time).await?;
        Ok(Box::new(SqliteCursor {
            gate: Arc::clone(&self.gate),
            line: Arc::clone(&self.line),
            id,
            columns,
            time,
            rows: 0,
            bytes: 0,
        }))
    }

    async fn execute(&mut self, statement: &str, parameters: Vec<SqlValue>, options: Pairs) -> Answer<u64> {
        let call = self.call(statement, parameters, &options)?;
        if !self.file.is_scratch() && self.mode == SessionMode::Write {
            let shown = self.gate.mask().start(statement, SHOWN_BYTES_MAX);
            let object = format!("{}: {shown}", self.file.resource());
            if self.is_pretended() {
                self.gate.change("sql.execute", &object).await?;
                return Err(Failure::planned(
                    "a dry run does not carry out a statement that changes something",
                ));
            }
            // Nothing is changed before `commit`, whose durable record carries this one.
            let call = "sql.execute".to_owned();
            self.gate.record().soon(Note::Change { call, object });
        }
        let time = call.time;
        self.line.ask(&Request::Execute(call), time).await
    }

    async fn commit(&mut self) -> Answer<()> {
        if self.file.is_scratch() || self.mode == SessionMode::Read {
            return self.line.ask(&Request::Commit, None).await;
        }
        let object = self.file.resource();
        if self.gate.change("sql.commit", &object).await? == Proceed::DryRun {
            return Ok(());
        }
        let committed = self.line.ask(&Request::Commit, None).await;
        self.gate.changed("sql.commit", &object, committed)
    }

    async fn schema(&mut self) -> Answer<String> {
        let schema = self.line.ask(&Request::Schema, None).await?;
        Ok(masking::masked(&self.gate.mask(), schema))
    }
}

struct SqliteCursor {
    gate: Arc<Gate>,
    line: Arc<Line>,
    id: u64,
    columns: Vec<Column>,
    time: Option<Duration>,
    /// Read so far.
    rows: u64,
    bytes: u64,
}

impl SqliteCursor {
    /// What did not fit any more has used up what was left.
    fn exhausted(&self, failure: &Failure) {
        let (limits, meter) = (&self.gate.attempt().limits, self.gate.meter());
        for (limit, most, max) in [
            ("rows", &meter.rows, limits.rows),
            ("query_bytes", &meter.query_bytes, limits.query_bytes),
        ] {
            if failure
                .extra
                .iter()
                .any(|(name, value)| name == "limit" && value == limit)
            {
                most.most(max);
            }
        }
    }
}

#[async_trait]
impl Cursor for SqliteCursor {
    fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    async fn next(&mut self, rows_max: u32) -> Answer<Vec<Vec<SqlValue>>> {
        let (cursor, time) = (self.id, self.time);
        let request = Request::Next {
            cursor,
            rows_max,
            time,
        };
        let page: Answer<Page> = self.line.ask(&request, time).await;
        let page = page.inspect_err(|failure| self.exhausted(failure))?;
        self.rows += page.len() as u64;
        let bytes = page.iter().flatten().map(Cell::bytes).sum::<u64>();
        self.bytes += bytes;
        let meter = self.gate.meter();
        meter.rows.most(self.rows);
        meter.query_bytes.most(self.bytes);
        let row = |row: Vec<Cell>| row.into_iter().map(SqlValue::from).collect();
        masking::rows(&self.gate, page.into_iter().map(row).collect(), bytes).await
    }
}

impl Drop for SqliteCursor {
    fn drop(&mut self) {
        let mut closed = self.line.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.push(self.id);
    }
}

/// In a dry run a database that is not the run's own is only read, whatever was asked for.
fn policy(gate: &Gate, file: &DatabaseFile, mode: SessionMode) -> Policy {
    match mode {
        SessionMode::Read => Policy::Read,
        SessionMode::Write if file.is_scratch() => Policy::Own,
        SessionMode::Write if gate.dry_run() => Policy::Read,
        SessionMode::Write => Policy::Write(file.write_tables.clone()),
    }
}
