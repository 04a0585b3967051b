//! A session as its owner sees it; the work is done on the session's thread.

use super::connection::Guarded;
use super::policy::Policy;
use super::trouble::statement_failure;
use super::worker::{Call, Page, Reply, Request, STACK_BYTES, Worker, ended};
use crate::databases::DatabaseFile;
use crate::gate::{Gate, Proceed};
use crate::options::statement_timeout;
use crate::stop::Watch;
use async_trait::async_trait;
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Column, Cursor, Pairs, Session, SessionMode, SqlValue};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// As much of a statement as the record shows.
const SHOWN_CHARACTERS: usize = 200;

/// One transaction of a plugin.
pub(super) struct SqliteSession {
    gate: Arc<Gate>,
    file: DatabaseFile,
    mode: SessionMode,
    time: Option<Duration>,
    requests: Sender<Request>,
    /// Ends what the thread is doing when the session is dropped.
    _abandon: DropGuard,
}

impl SqliteSession {
    /// Opens a session; it holds the permit until its thread has ended.
    pub(super) async fn open(
        gate: Arc<Gate>,
        file: DatabaseFile,
        mode: SessionMode,
        time: Option<Duration>,
        permit: OwnedSemaphorePermit,
    ) -> Answer<Self> {
        let abandoned = CancellationToken::new();
        let watch = Arc::new(Watch::new(gate.stop(), abandoned.clone()));
        let (requests, inbox) = channel();
        let (reply, opened) = oneshot::channel();
        let opening = Opening {
            policy: policy(&gate, &file, mode),
            limits: gate.attempt().limits.clone(),
            file: file.clone(),
            mode,
            watch,
        };
        let thread = std::thread::Builder::new()
            .name("sql-session".to_owned())
            .stack_size(STACK_BYTES);
        let spawned = thread.spawn(move || {
            opening.run(inbox, reply);
            drop(permit);
        });
        spawned.map_err(|error| Failure::host(format!("cannot start a thread: {error}")))?;
        let session = Self {
            gate,
            file,
            mode,
            time,
            requests,
            _abandon: abandoned.drop_guard(),
        };
        session
            .gate
            .bounded(async { opened.await.map_err(|_| ended())? })
            .await?;
        Ok(session)
    }

    fn call(&self, statement: &str, parameters: Vec<SqlValue>, options: &Pairs) -> Answer<Call> {
        Ok(Call {
            statement: statement.to_owned(),
            parameters,
            time: statement_timeout(options)?.or(self.time),
        })
    }

    fn is_pretended(&self) -> bool {
        self.gate.dry_run() && !self.file.is_scratch()
    }
}

async fn ask<T>(
    gate: &Gate,
    requests: &Sender<Request>,
    request: impl FnOnce(Reply<T>) -> Request,
) -> Answer<T> {
    let (reply, answer) = oneshot::channel();
    requests.send(request(reply)).map_err(|_| ended())?;
    gate.bounded(async { answer.await.map_err(|_| ended())? }).await
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
        let (id, columns) = ask(&self.gate, &self.requests, |reply| Request::Query { call, reply }).await?;
        Ok(Box::new(SqliteCursor {
            gate: Arc::clone(&self.gate),
            requests: self.requests.clone(),
            id,
            columns,
            time,
        }))
    }

    async fn execute(&mut self, statement: &str, parameters: Vec<SqlValue>, options: Pairs) -> Answer<u64> {
        let call = self.call(statement, parameters, &options)?;
        if !self.file.is_scratch() && self.mode == SessionMode::Write {
            let shown: String = statement.chars().take(SHOWN_CHARACTERS).collect();
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
        ask(&self.gate, &self.requests, |reply| Request::Execute {
            call,
            reply,
        })
        .await
    }

    async fn commit(&mut self) -> Answer<()> {
        if self.file.is_scratch() || self.mode == SessionMode::Read {
            return ask(&self.gate, &self.requests, |reply| Request::Commit { reply }).await;
        }
        let object = self.file.resource();
        if self.gate.change("sql.commit", &object).await? == Proceed::DryRun {
            return Ok(());
        }
        let committed = ask(&self.gate, &self.requests, |reply| Request::Commit { reply }).await;
        self.gate.changed("sql.commit", &object, committed)
    }

    async fn schema(&mut self) -> Answer<String> {
        ask(&self.gate, &self.requests, |reply| Request::Schema { reply }).await
    }
}

struct SqliteCursor {
    gate: Arc<Gate>,
    requests: Sender<Request>,
    id: u64,
    columns: Vec<Column>,
    time: Option<Duration>,
}

#[async_trait]
impl Cursor for SqliteCursor {
    fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    async fn next(&mut self, rows_max: u32) -> Answer<Page> {
        let (cursor, time) = (self.id, self.time);
        let request = |reply| Request::Next {
            cursor,
            rows_max,
            time,
            reply,
        };
        ask(&self.gate, &self.requests, request).await
    }
}

impl Drop for SqliteCursor {
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close { cursor: self.id });
    }
}

/// What a session's thread needs to begin.
struct Opening {
    policy: Policy,
    limits: sopwith_core::limits::Limits,
    file: DatabaseFile,
    mode: SessionMode,
    watch: Arc<Watch>,
}

impl Opening {
    fn run(self, requests: Receiver<Request>, opened: Reply<()>) {
        match self.begin() {
            Ok(guarded) => {
                let worker = Worker {
                    guarded: Rc::new(guarded),
                    database: self.file.name,
                    mode: self.mode,
                    limits: self.limits,
                    requests,
                    ended: false,
                    cursors: 0,
                };
                if opened.send(Ok(())).is_ok() {
                    worker.run();
                }
            }
            Err(failure) => {
                let _ = opened.send(Err(failure));
            }
        }
    }

    /// Opens the connection and its transaction; the first read is what takes the snapshot.
    fn begin(&self) -> Answer<Guarded> {
        let max = self.limits.query_bytes;
        let guarded = Guarded::open(&self.file.path, self.policy.clone(), max, Arc::clone(&self.watch))
            .map_err(|error| super::trouble::database_failure(&error, &self.file.name))?;
        let begin = if self.policy == Policy::Read {
            "BEGIN"
        } else {
            "BEGIN IMMEDIATE"
        };
        let snapshot = guarded.trusted(|connection| {
            if let Some(bytes) = self.file.bytes_max {
                super::connection::cap(connection, bytes)?;
            }
            connection.execute_batch(begin)?;
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        });
        snapshot.map_err(|error| statement_failure(&error, &guarded, &self.file.name))?;
        Ok(guarded)
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
