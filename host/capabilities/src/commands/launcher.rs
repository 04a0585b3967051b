//! Starts commands, each beneath a process that supervises it.

use super::driver::Driver;
use super::family::Family;
use super::job::Job;
use super::message::Streams;
use super::running::{Running, Stage};
use crate::stop::Stop;
use sopwith_core::failure::Failure;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

/// The program that supervises a command: all that it does is to call
/// [`supervise`](crate::supervise).
#[derive(Debug, Clone)]
pub struct SupervisorProgram {
    /// Where it is.
    pub path: PathBuf,
    /// What it is told; the name of the command follows, for whoever looks at the list of processes.
    pub arguments: Vec<OsString>,
}

/// Whether a command is given something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Through a pipe.
    Piped,
    /// Nothing.
    Empty,
}

/// Where the two outputs of a command go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// Each into a pipe of its own.
    Apart,
    /// Both into one, in the order in which they are written.
    Together,
}

/// The host's ends of the streams of a command.
pub(crate) struct Ends {
    pub(crate) input: Option<PipeWriter>,
    pub(crate) stdout: PipeReader,
    /// None where it is one with standard output.
    pub(crate) stderr: Option<PipeReader>,
}

/// Starts commands.
pub(crate) struct Launcher {
    supervisor: SupervisorProgram,
    clock: Arc<dyn Clock>,
}

impl Launcher {
    pub(crate) fn new(supervisor: SupervisorProgram, clock: Arc<dyn Clock>) -> Self {
        Self { supervisor, clock }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Starts a command, which is ended when its time is up, when it is time to stop, and when what
    /// is returned is dropped. It counts as one of the family until all of it has ended.
    ///
    /// Has to be called within a runtime.
    pub(crate) fn launch(
        &self,
        job: Job,
        (input, outputs): (Input, Outputs),
        stop: Stop,
        family: &Family,
    ) -> Answer<(Running, Ends)> {
        let place = family.place()?;
        let supervised = open(input, outputs).and_then(|(streams, ends)| {
            let (child, socket) = self.supervise(&job, &streams)?;
            Ok((child, socket, ends))
        });
        let (child, socket, ends) = supervised.map_err(|error| {
            let message = format!("cannot supervise the command `{}`: {error}", job.name);
            Failure::host(message).retryable()
        })?;
        let (requesting, requests) = mpsc::unbounded_channel();
        let (stage, watching) = watch::channel(Stage::Starting);
        let driver = Driver {
            job,
            child,
            socket,
            requests,
            stage,
            stop,
            clock: Arc::clone(&self.clock),
        };
        family.follow(place, driver.drive());
        Ok((Running::new(requesting, watching), ends))
    }

    fn supervise(&self, job: &Job, streams: &Streams) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let child = Command::new(&self.supervisor.path)
            .arg0("sopwith")
            .args(&self.supervisor.arguments)
            .arg(&job.name)
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        streams.send(&ours)?;
        ours.set_nonblocking(true)?;
        Ok((child, UnixStream::from_std(ours)?))
    }
}

fn open(input: Input, outputs: Outputs) -> io::Result<(Streams, Ends)> {
    let (stdin, input) = match input {
        Input::Piped => {
            let (reader, writer) = pipe()?;
            (OwnedFd::from(reader), Some(writer))
        }
        Input::Empty => (File::open("/dev/null")?.into(), None),
    };
    let (stdout, into_stdout) = pipe()?;
    let (stderr, into_stderr) = match outputs {
        Outputs::Apart => {
            let (reader, writer) = pipe()?;
            (Some(reader), writer)
        }
        Outputs::Together => (None, into_stdout.try_clone()?),
    };
    let streams = Streams {
        stdin,
        stdout: into_stdout.into(),
        stderr: into_stderr.into(),
        input: input
            .as_ref()
            .map(PipeWriter::try_clone)
            .transpose()?
            .map(OwnedFd::from),
    };
    Ok((
        streams,
        Ends {
            input,
            stdout,
            stderr,
        },
    ))
}
