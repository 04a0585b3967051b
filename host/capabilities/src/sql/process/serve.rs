//! What the process of a session does: it carries out an order, and serves until nobody asks.

use super::super::connection::{Guarded, HostConnection, Surroundings, cap};
use super::super::policy::Policy;
use super::super::settle::settle;
use super::super::snapshot;
use super::super::trouble::{database_failure, statement_failure};
use super::super::verify;
use super::super::worker::{STACK_BYTES, Worker};
use super::spill::Spill;
use super::wire::{self, Bounds, Order, Request, Task};
use crate::stop::{Stop, Watch};
use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::Serialize;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::ffi::OsString;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a statement may take to end once nobody waits for it; one that cannot be interrupted
/// ends with the process.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// The address space of the process: a second fence behind the memory of the engine.
const ADDRESS_BYTES_MAX: u64 = 1 << 30;

/// Carries out one session, as the host says over the socket that is standard input; the whole
/// of a process that the host starts by [`SessionProgram`](super::SessionProgram).
pub fn serve_session(clock: Arc<dyn Clock>) -> ExitCode {
    match serve(clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(clock: Arc<dyn Clock>) -> io::Result<()> {
    restrict()?;
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let order: Order = wire::read(&mut socket)?;
    // The host keeps the time of the attempt, and ends this process with it.
    let stop = Stop::new(CancellationToken::new(), Duration::MAX, clock);
    let abandoned = CancellationToken::new();
    let watch = Arc::new(Watch::new(stop, abandoned.clone()));
    let spill = Spill::new(std::env::current_dir()?, order.bounds.scratch_bytes);
    let post = Post {
        socket: socket.try_clone()?,
        spill: Arc::new(Mutex::new(spill)),
    };
    let (requests, inbox) = channel();
    let (at_work, done) = channel::<()>();
    let hang_up = HangUp(socket.try_clone()?);
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _ends_here = (at_work, hang_up);
            carry_out(order, watch, post, inbox);
        })?;
    while let Ok(request) = wire::read(&mut socket) {
        if requests.send(request).is_err() {
            break;
        }
    }
    drop(requests);
    abandoned.cancel();
    let _ = done.recv_timeout(LAST_WORDS);
    Ok(())
}

/// Closes the socket when the work is done, or cannot go on, so that nobody waits for more.
struct HangUp(UnixStream);

impl Drop for HangUp {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What is in the memory of this process is in no file of a crash. A service manager that tells all
/// processes of the host to end leaves this one to the host, which may still need it.
fn restrict() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _within = runtime.enter();
    for kind in [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::terminate(),
        // A file that may not grow further is an error of its write.
        SignalKind::from_raw(Signal::XFSZ.as_raw()),
    ] {
        // Once somebody has listened to it, a signal ends nobody any more.
        drop(signal(kind)?);
    }
    for (resource, max) in [(Resource::Core, 0), (Resource::As, ADDRESS_BYTES_MAX)] {
        let (current, maximum) = (Some(max), Some(max));
        setrlimit(resource, Rlimit { current, maximum })?;
    }
    Ok(())
}

fn carry_out(order: Order, watch: Arc<Watch>, post: Post, inbox: Receiver<Request>) {
    let surroundings = Surroundings {
        path: PathBuf::from(OsString::from_vec(order.path)),
        watch,
        spill: Arc::clone(&post.spill),
        memory_bytes: order.bounds.memory_bytes,
    };
    let database = order.database;
    // Where an answer cannot be sent, nobody waits for it.
    let _ = match order.task {
        Task::Serve(policy) => {
            let reads = policy == Policy::Read;
            match begin(surroundings, policy, order.bytes_max, &order.bounds, &database) {
                Ok(guarded) => Worker::new(guarded, database, reads, order.bounds, inbox, post).run(),
                Err(failure) => post.send::<()>(Err(failure)),
            }
        }
        Task::Snapshot => snapshot::serve(&surroundings, &database, &inbox, &post),
        Task::Settle => {
            let settled = settle(&surroundings);
            post.send(settled.map_err(|error| surroundings.failure(&error, &database)))
        }
        Task::Describe => post.send(look(&surroundings, &database, verify::describe)),
        Task::Schema => post.send(look(&surroundings, &database, verify::schema)),
        Task::Verify(depth) => {
            let problems = |connection: &Connection| verify::problems(connection, depth);
            post.send(look(&surroundings, &database, problems))
        }
    };
}

/// Opens the connection and its transaction; the first read is what takes the snapshot.
fn begin(
    surroundings: Surroundings,
    policy: Policy,
    bytes_max: Option<u64>,
    bounds: &Bounds,
    database: &str,
) -> Answer<Guarded> {
    let begin = if policy == Policy::Read {
        "BEGIN"
    } else {
        "BEGIN IMMEDIATE"
    };
    let guarded = Guarded::open(surroundings, policy, bounds.query_bytes)
        .map_err(|error| database_failure(&error, database))?;
    let snapshot = guarded.trusted(|connection| {
        if let Some(bytes) = bytes_max {
            cap(connection, bytes)?;
        }
        connection.execute_batch(begin)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    });
    snapshot
        .and_then(|()| guarded.admit_shadows())
        .map_err(|error| statement_failure(&error, &guarded, database))?;
    Ok(guarded)
}

/// Looks at a database by statements of the host's own.
fn look<T>(
    surroundings: &Surroundings,
    database: &str,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Answer<T> {
    let connection = HostConnection::open(surroundings);
    let done = connection.and_then(|connection| work(&connection));
    done.map_err(|error| surroundings.failure(&error, database))
}

/// The way back to the host.
pub(in crate::sql) struct Post {
    socket: UnixStream,
    spill: Arc<Mutex<Spill>>,
}

impl Post {
    /// Hands over an answer, with what the run's directory holds after it.
    pub(in crate::sql) fn send<T: Serialize>(&self, answer: Answer<T>) -> io::Result<()> {
        let most = {
            let mut spill = locked(&self.spill);
            spill.settle();
            spill.most()
        };
        wire::reply(&mut &self.socket, answer, most)
    }
}

pub(in crate::sql) fn locked(spill: &Mutex<Spill>) -> MutexGuard<'_, Spill> {
    spill.lock().unwrap_or_else(PoisonError::into_inner)
}
