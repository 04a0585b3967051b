//! Serves a session: one connection to SQLite with one transaction, on one thread.

use super::connection::Guarded;
use super::cursors::{Ground, Level, Open};
use super::process::wire::{Bounds, Call, Request};
use super::process::{Post, ended};
use super::schema;
use super::trouble::statement_failure;
use crate::stop::Watch;
use rusqlite::{Connection, Statement};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Column};
use std::io;
use std::rc::Rc;
use std::sync::mpsc::Receiver;

/// Cursors of one session that are open at once; each is a frame on the thread's stack, and one
/// that is closed keeps its frame until those above it are closed too.
const CURSORS_MAX: usize = 256;
/// Names and types of the columns of one query, which the host keeps for as long as its cursor is
/// open.
const COLUMNS_BYTES_MAX: usize = 1 << 20;
/// Room for all of them, even where nothing is optimised.
pub(super) const STACK_BYTES: usize = 16 << 20;

/// A cursor that was opened, and its columns.
pub(super) type Opened = (u64, Vec<Column>);

/// One transaction on one connection.
pub(super) struct Worker {
    guarded: Rc<Guarded>,
    database: String,
    /// Whether the session is for reading alone.
    reads: bool,
    pub(super) bounds: Bounds,
    requests: Receiver<Request>,
    post: Post,
    ended: bool,
    cursors: u64,
}

impl Worker {
    /// A session that nothing was asked of yet.
    pub(super) fn new(
        guarded: Guarded,
        database: String,
        reads: bool,
        bounds: Bounds,
        requests: Receiver<Request>,
        post: Post,
    ) -> Self {
        Self {
            guarded: Rc::new(guarded),
            database,
            reads,
            bounds,
            requests,
            post,
            ended: false,
            cursors: 0,
        }
    }

    /// Serves until nobody can ask any more; what is not committed is rolled back.
    pub(super) fn run(mut self) -> io::Result<()> {
        self.post.send(Ok(()))?;
        self.serve(&mut Ground)
    }

    /// Serves with these cursors open. A query is a frame of its own, because its rows borrow
    /// its statement; the frame ends when its cursor is closed and no newer one is open.
    fn serve(&mut self, open: &mut dyn Open) -> io::Result<()> {
        while let Ok(request) = self.requests.recv() {
            self.watch().allot(None);
            match request {
                Request::Query(call) => self.query(open, call)?,
                Request::Next {
                    cursor,
                    rows_max,
                    time,
                } => {
                    self.watch().allot(time);
                    let page = self.check_open().and_then(|()| open.next(self, cursor, rows_max));
                    self.post.send(page)?;
                }
                Request::Close { cursor } => open.close(cursor),
                Request::Execute(call) => {
                    let changed = self.execute(call);
                    self.post.send(changed)?;
                }
                Request::Commit => {
                    let committed = self.commit();
                    self.post.send(committed)?;
                }
                Request::Schema => self.post.send(self.schema())?,
                // Of those that nobody asks a session.
                Request::Piece => self.post.send::<()>(Err(ended()))?,
            }
            if open.is_closed() {
                break;
            }
        }
        Ok(())
    }

    fn query(&mut self, open: &mut dyn Open, call: Call) -> io::Result<()> {
        if open.count() >= CURSORS_MAX {
            let message = format!("a session may have {CURSORS_MAX} cursors open at once");
            let failure = Failure::limit("cursors", message).hint("close the cursors that were opened last");
            return self.post.send::<Opened>(Err(failure));
        }
        self.cursors += 1;
        let id = self.cursors;
        // The statement borrows the connection for as long as the cursor is open, while the
        // worker goes on serving; so the connection is shared and not part of the worker's loan.
        let guarded = Rc::clone(&self.guarded);
        let mut statement = match self.prepare(guarded.plain(), call) {
            Ok(statement) if statement.readonly() => statement,
            Ok(_) => {
                let failure = Failure::invalid("a statement that changes something goes to `execute`");
                return self.post.send::<Opened>(Err(failure));
            }
            Err(failure) => return self.post.send::<Opened>(Err(failure)),
        };
        let columns = columns_of(&statement);
        let texts = columns.iter().map(|column| column.name.len() + column.kind.len());
        if texts.sum::<usize>() > COLUMNS_BYTES_MAX {
            let message = format!("the columns of a query have names of more than {COLUMNS_BYTES_MAX} bytes");
            return self
                .post
                .send::<Opened>(Err(Failure::limit("query_bytes", message)));
        }
        let mut level = Level {
            id,
            columns: columns.len(),
            rows: Some(statement.raw_query()),
            rows_left: self.bounds.rows,
            bytes_left: self.bounds.query_bytes,
            below: open,
        };
        self.post.send(Ok((id, columns)))?;
        self.serve(&mut level)
    }

    fn prepare<'c>(&self, connection: &'c Connection, call: Call) -> Answer<Statement<'c>> {
        self.check_open()?;
        self.watch().allot(call.time);
        if schema::is_empty(&call.statement) {
            return Err(Failure::invalid("there is no statement"));
        }
        let prepared = connection.prepare(&call.statement);
        let mut statement = prepared.map_err(|error| self.failure(&error))?;
        let (wanted, given) = (statement.parameter_count(), call.parameters.len());
        if wanted != given {
            return Err(Failure::invalid(format!(
                "the statement has {wanted} parameters, and {given} are given"
            )));
        }
        for (i, parameter) in call.parameters.into_iter().enumerate() {
            let bound = statement.raw_bind_parameter(i + 1, parameter);
            bound.map_err(|error| self.failure(&error))?;
        }
        Ok(statement)
    }

    fn execute(&mut self, call: Call) -> Answer<u64> {
        if self.reads {
            return Err(Failure::invalid("the session is for reading"));
        }
        self.check_open()?;
        self.host("SAVEPOINT sopwith")?;
        let changed = self.execute_within(call);
        if self.guarded.plain().is_autocommit() {
            // SQLite rolls all back when a change is cut off in its middle, or the disk is full.
            self.ended = true;
            let failure = changed.err().unwrap_or_else(ended);
            return Err(failure.with("phase", "transaction rolled back"));
        }
        if changed.is_err() {
            self.host("ROLLBACK TO sopwith")?;
        }
        self.host("RELEASE sopwith")?;
        changed
    }

    fn execute_within(&self, call: Call) -> Answer<u64> {
        let connection = self.guarded.plain();
        let mut statement = self.prepare(connection, call)?;
        if statement.readonly() {
            return Err(Failure::invalid("a statement that only reads goes to `query`"));
        }
        let before = connection.total_changes();
        let mut rows = statement.raw_query();
        while rows.next().map_err(|error| self.failure(&error))?.is_some() {}
        drop(rows);
        // The engine keeps the count of the statement before when one changes no rows.
        Ok(if connection.total_changes() == before {
            0
        } else {
            connection.changes()
        })
    }

    fn commit(&mut self) -> Answer<()> {
        if self.reads {
            return Err(Failure::invalid("a session for reading has nothing to commit"));
        }
        self.check_open()?;
        self.host("COMMIT")?;
        self.ended = true;
        Ok(())
    }

    fn schema(&self) -> Answer<String> {
        self.check_open()?;
        let schema = self.guarded.trusted(schema::read);
        schema.map_err(|error| self.failure(&error))
    }

    fn host(&self, statement: &str) -> Answer<()> {
        self.watch().allot(None);
        let done = self
            .guarded
            .trusted(|connection| connection.execute_batch(statement));
        done.map_err(|error| self.failure(&error))
    }

    fn check_open(&self) -> Answer<()> {
        if self.ended {
            Err(ended())
        } else {
            self.watch().check()
        }
    }

    fn watch(&self) -> &Watch {
        &self.guarded.surroundings.watch
    }

    /// What an error of a statement means.
    pub(super) fn failure(&self, error: &rusqlite::Error) -> Failure {
        statement_failure(error, &self.guarded, &self.database)
    }
}

fn columns_of(statement: &Statement<'_>) -> Vec<Column> {
    let column = |column: rusqlite::Column<'_>| Column {
        name: column.name().to_owned(),
        kind: column.decl_type().unwrap_or_default().to_owned(),
    };
    statement.columns().map(column).collect()
}
