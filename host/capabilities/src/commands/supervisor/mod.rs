//! The process between a host and a command that it runs: it ends the command and all that came of
//! it when the command has ended, when the host asks for it, and when the host is gone.
//!
//! It is the host's own program, started anew for each command. What the command leaves behind
//! becomes a child of it, whatever process group or session that moved to, so it finds daemons too.
//! It reads a socket to the host, and nobody else has that: a host that dies closes it.

mod family;
mod program;

use super::message::{Exit, Order, Refusal, Report, Request, Streams, line};
use family::{Family, Look};
use program::number;
use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// What a process may have open by custom.
const DESCRIPTORS_MAX: u64 = 1024;
/// How long what was asked to end may take for it.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How long what a command left behind may take to end by itself, as the last of a pipe does.
const LINGER: Duration = Duration::from_millis(200);
/// How often it is tried to kill what does not end, and how long.
const KILL_EVERY: Duration = Duration::from_millis(20);
const KILL_FOR: Duration = Duration::from_secs(5);

/// Supervises one command: takes the order from the socket that is standard input, starts the
/// command, and ends when all of it has ended. Fails where standard input is no such socket.
pub fn supervise() -> io::Result<()> {
    let (socket, streams) = prepare()?;
    serve(socket, streams)
}

fn prepare() -> io::Result<(StdUnixStream, Streams)> {
    let socket: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let socket = StdUnixStream::from(socket);
    let streams = Streams::receive(&socket)?;
    // Whatever whoever started the host left open in it is none of the command's business.
    close_fds::set_fds_cloexec(3, &[]);
    // Ctrl-C at the host's terminal is the host's alone, and the command has no terminal to ask at.
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    limit_descriptors()?;
    // The environment of the command passes through its memory.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok((socket, streams))
}

/// Takes back what the host needs for itself: some programs close every descriptor that they might
/// have, or cannot handle larger ones.
fn limit_descriptors() -> io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.unwrap_or(u64::MAX).min(DESCRIPTORS_MAX));
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

fn serve(socket: StdUnixStream, streams: Streams) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        socket.set_nonblocking(true)?;
        let (requests, mut reports) = UnixStream::from_std(socket)?.into_split();
        let mut requests = Requests(BufReader::new(requests));
        let supervised = match requests.order().await? {
            Ok(order) => Supervised::start(&order, streams),
            Err(refusal) => Err(refusal),
        };
        let report = match supervised {
            Ok(mut supervised) => {
                send(&mut reports, &Report::Started).await;
                let report = supervised.follow(requests).await;
                supervised.family.part();
                report
            }
            Err(refusal) => Report::Refused(refusal),
        };
        send(&mut reports, &report).await;
        Ok(())
    })
}

/// A host that is gone hears nothing, and that is noticed where requests are read.
async fn send(reports: &mut OwnedWriteHalf, report: &Report) {
    let _ = reports.write_all(&line(report)).await;
}

/// What the host asks for.
struct Requests(BufReader<OwnedReadHalf>);

impl Requests {
    async fn order(&mut self) -> io::Result<Result<Order, Refusal>> {
        let mut text = Vec::new();
        self.0.read_until(b'\n', &mut text).await?;
        let order = serde_json::from_slice(&text);
        Ok(order.map_err(|error| Refusal::Supervisor(number(&error.into()))))
    }

    /// None when the host is gone. May be dropped and called again.
    async fn next(&mut self, begun: &mut Vec<u8>) -> Option<Request> {
        let read = self.0.read_until(b'\n', begun).await;
        let line = std::mem::take(begun);
        if read.is_err() || !line.ends_with(b"\n") {
            return None;
        }
        serde_json::from_slice(&line).ok()
    }
}

/// A command that runs.
struct Supervised {
    family: Family,
    /// The writing end of its input.
    input: Option<OwnedFd>,
    children: Signal,
    /// Signals that ask this process to end.
    ends: [Signal; 3],
}

impl Supervised {
    fn start(order: &Order, mut streams: Streams) -> Result<Self, Refusal> {
        let listen = |kind| signal(kind).map_err(|error| Refusal::Supervisor(number(&error)));
        let (children, ends) = (
            listen(SignalKind::child())?,
            [
                listen(SignalKind::terminate())?,
                listen(SignalKind::interrupt())?,
                listen(SignalKind::hangup())?,
            ],
        );
        let input = streams.input.take();
        let child = program::start(order, streams)?;
        Ok(Self {
            family: Family::of(Pid::from_child(&child)),
            input,
            children,
            ends,
        })
    }

    /// Waits for the end of the command, and of all that came of it.
    async fn follow(&mut self, mut requests: Requests) -> Report {
        let mut stage = Stage::Running;
        let (mut left_behind, mut begun, mut host_is_there) = (0, Vec::new(), true);
        loop {
            let Look { exit, others } = self.family.look();
            let now = Instant::now();
            match (exit, stage) {
                (Some(exit), _) if others == 0 => return ended(exit, left_behind, 0),
                (Some(_), Stage::Running) => stage = Stage::Lingering { until: now + LINGER },
                (Some(_), Stage::Lingering { until }) if now >= until => {
                    left_behind = others;
                    self.end_within(GRACE, &mut stage);
                }
                (_, Stage::Ending { kill_at }) if now >= kill_at + KILL_FOR => {
                    let survivors = others + usize::from(exit.is_none());
                    return ended(exit.unwrap_or(Exit::Code(-1)), left_behind, survivors);
                }
                (_, Stage::Ending { kill_at }) if now >= kill_at => self.family.kill(),
                _ => {}
            }
            let [terminate, interrupt, hangup] = &mut self.ends;
            tokio::select! {
                _ = self.children.recv() => {}
                request = requests.next(&mut begun), if host_is_there => match request {
                    Some(Request::CloseInput) => self.input = None,
                    Some(Request::End { grace_ms }) => {
                        self.end_within(Duration::from_millis(grace_ms), &mut stage);
                    }
                    None => {
                        host_is_there = false;
                        // Nobody waits for it, and the next host may start the same command.
                        self.end_within(Duration::ZERO, &mut stage);
                    }
                },
                _ = terminate.recv() => self.end_within(GRACE, &mut stage),
                _ = interrupt.recv() => self.end_within(GRACE, &mut stage),
                _ = hangup.recv() => self.end_within(GRACE, &mut stage),
                () = stage.passes() => {}
            }
        }
    }

    /// Asks the family to end, and sees to it; the earliest end that was asked for holds.
    fn end_within(&self, grace: Duration, stage: &mut Stage) {
        let kill_at = Instant::now() + grace;
        if let Stage::Ending { kill_at: before } = stage {
            *before = kill_at.min(*before);
            return;
        }
        if !grace.is_zero() {
            self.family.ask();
        }
        *stage = Stage::Ending { kill_at };
    }
}

fn ended(exit: Exit, left_behind: usize, survivors: usize) -> Report {
    Report::Ended {
        exit,
        left_behind,
        survivors,
    }
}

/// How far a command is.
#[derive(Clone, Copy)]
enum Stage {
    /// It runs, or has just ended.
    Running,
    /// It has ended, and what it left behind may be about to.
    Lingering { until: Instant },
    /// What is left of it was asked to end.
    Ending { kill_at: Instant },
}

impl Stage {
    /// Waits until there is something to do, if nothing else happens.
    async fn passes(self) {
        match self {
            Self::Running => std::future::pending().await,
            Self::Lingering { until } => tokio::time::sleep_until(until).await,
            Self::Ending { kill_at } => {
                let next = (Instant::now() + KILL_EVERY).max(kill_at);
                tokio::time::sleep_until(next).await;
            }
        }
    }
}
