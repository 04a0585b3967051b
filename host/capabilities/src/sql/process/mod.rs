//! The process that carries out a session: started, asked and ended by the host.
//!
//! In SQLite there are functions that cannot be interrupted, memory and temporary files that are
//! not counted for a connection, and files that a plugin may have made. In a process of its own
//! they have limits of their own, and end when they have to.

mod serve;
mod spill;
pub(super) mod wire;

pub use serve::serve_session;
pub(super) use serve::{Post, locked};
pub(super) use spill::Spill;

use crate::gate::Gate;
use crate::masking;
use crate::scratch;
use crate::stop::Watch;
use crate::trouble::file_failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Socket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::OwnedSemaphorePermit;
use wire::{Order, Request};

/// How long a statement may go on after its time, so that the process can answer for itself.
const ANSWER_GRACE: Duration = Duration::from_millis(250);
/// How long a process may take to end once it is told to, before it is killed.
pub(super) const END_GRACE: Duration = Duration::from_secs(1);

/// The program that carries out sessions: all that it does is to call [`serve_session`].
#[derive(Debug, Clone)]
pub struct SessionProgram {
    /// Where it is.
    pub path: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
}

/// The processes of sessions; true for those that were told to end.
static PROCESSES: Mutex<BTreeMap<u32, bool>> = Mutex::new(BTreeMap::new());

/// Whether a process carries out a session of this host.
pub(crate) fn is_session(process: u32) -> bool {
    processes().contains_key(&process)
}

/// Whether a process of a session was told to end.
pub(crate) fn is_ending(process: u32) -> bool {
    processes().get(&process) == Some(&true)
}

fn processes() -> MutexGuard<'static, BTreeMap<u32, bool>> {
    PROCESSES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is under way; dropped, it comes to its end.
pub(super) struct Process {
    gate: Arc<Gate>,
    database: String,
    /// None once the process has been told to end.
    socket: Option<UnixStream>,
    child: Option<Named>,
    /// Whether an answer is still to come.
    asking: bool,
    /// Held until the process has ended.
    permit: Option<OwnedSemaphorePermit>,
}

impl Process {
    /// Starts a process in a directory that it may put temporary files into, and waits for its
    /// answer to the order.
    pub(super) async fn start<T: DeserializeOwned>(
        gate: Arc<Gate>,
        program: &SessionProgram,
        directory: &Path,
        order: &Order,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Answer<(Self, T)> {
        scratch::make_private(directory)
            .map_err(|error| file_failure(&error, "make the directory for temporary files"))?;
        let (socket, child) = spawn(program, directory).map_err(|error| {
            Failure::host(format!("cannot start the process of a session: {error}"))
                .hint("let the user of the host start processes, and look at its limits")
        })?;
        let mut process = Self {
            gate,
            database: order.database.clone(),
            socket: Some(socket),
            child: Some(Named::new(child)),
            asking: false,
            permit,
        };
        let answer = process.exchange(order, None).await?;
        Ok((process, answer))
    }

    /// Asks, and waits for the answer; `time` is what the statement has.
    pub(super) async fn ask<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        time: Option<Duration>,
    ) -> Answer<T> {
        self.exchange(request, time).await
    }

    /// Tells that a cursor is no longer needed.
    pub(super) async fn close_cursor(&mut self, cursor: u64) {
        if let Ok(frame) = wire::frame(&Request::Close { cursor })
            && let Some(socket) = self.socket.as_mut().filter(|_| !self.asking)
        {
            self.asking = true;
            if socket.write_all(&frame).await.is_ok() {
                self.asking = false;
            }
        }
    }

    async fn exchange<T: DeserializeOwned>(
        &mut self,
        told: &impl Serialize,
        time: Option<Duration>,
    ) -> Answer<T> {
        let frame = wire::frame(told).map_err(|error| {
            Failure::limit(
                "call_bytes",
                format!("the statement and its parameters are too large: {error}"),
            )
        })?;
        // Where nobody waited for an answer, the next one would be that one.
        let Some(socket) = self.socket.as_mut().filter(|_| !self.asking) else {
            return Err(ended());
        };
        self.asking = true;
        let clock = self.gate.clock();
        let answering = async { Ok(converse(socket, &frame).await) };
        let in_time = async {
            let Some(time) = time else { return answering.await };
            tokio::select! {
                answer = answering => answer,
                () = clock.sleep(time + ANSWER_GRACE) => Err(Watch::out_of_time()
                    .hint("the session has ended with it, since a function of the statement could not be interrupted")),
            }
        };
        let heard = match self.gate.bounded(in_time).await {
            Ok(heard) => heard,
            Err(failure) => {
                self.end();
                return Err(failure);
            }
        };
        match heard.and_then(|content| wire::answer(&content)) {
            Ok((answer, scratch_bytes)) => {
                self.asking = false;
                self.gate.meter().scratch_bytes.most(scratch_bytes);
                answer.map_err(|failure| masking::failure(&self.gate.mask(), failure))
            }
            Err(error) => Err(self.broken(&error).await),
        }
    }

    /// Why a process gave no answer; nobody but itself ends it so early.
    async fn broken(&mut self, error: &io::Error) -> Failure {
        let status = match self.child.as_mut() {
            Some(child) if error.kind() == io::ErrorKind::UnexpectedEof => child.process.wait().await.ok(),
            _ => None,
        };
        self.end();
        let why = status.map_or_else(|| error.to_string(), |status| status.to_string());
        Failure::host(format!(
            "the process of a session of `{}` ended early: {why}",
            self.database
        ))
    }

    /// Tells the process to end, and sees to it that it does.
    fn end(&mut self) {
        self.socket = None;
        let (Some(mut child), permit) = (self.child.take(), self.permit.take()) else {
            return;
        };
        // Without a runtime it is killed at once, when `child` is dropped.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if let Some(id) = child.id {
            processes().insert(id, true);
        }
        let (gate, under_way) = (Arc::clone(&self.gate), self.gate.under_way());
        runtime.spawn(async move {
            tokio::select! {
                _ = child.process.wait() => {}
                () = gate.clock().sleep(END_GRACE) => {
                    let _ = child.process.kill().await;
                }
            }
            drop((child, permit, under_way));
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A process that is on the list for as long as it is there.
struct Named {
    process: Child,
    id: Option<u32>,
}

impl Named {
    fn new(process: Child) -> Self {
        let id = process.id();
        if let Some(id) = id {
            processes().insert(id, false);
        }
        Self { process, id }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            processes().remove(&id);
        }
    }
}

/// What is asked of a session that has ended.
pub(super) fn ended() -> Failure {
    Failure::new(FailureKind::Conflict, Blame::Plugin, "the session has ended")
}

fn spawn(program: &SessionProgram, directory: &Path) -> io::Result<(UnixStream, Child)> {
    let (ours, theirs) = Socket::pair()?;
    ours.set_nonblocking(true)?;
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .env("SQLITE_TMPDIR", directory)
        // What SQLite calls local time stays what it is for the host.
        .envs(std::env::var_os("TZ").map(|zone| ("TZ", zone)))
        .current_dir(directory)
        // What a terminal sends to the host is for the host alone.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .kill_on_drop(true);
    Ok((UnixStream::from_std(ours)?, command.spawn()?))
}

async fn converse(socket: &mut UnixStream, frame: &[u8]) -> io::Result<Vec<u8>> {
    socket.write_all(frame).await?;
    let mut head = [0; wire::HEAD_BYTES];
    socket.read_exact(&mut head).await?;
    let mut content = vec![0; wire::length(head)?];
    socket.read_exact(&mut content).await?;
    Ok(content)
}
