//! Sees a command that was started to its end, by way of the process that supervises it.

use super::job::Job;
use super::message::{Exit, Report, Request, line};
use super::running::{Ending, Stage};
use super::supervisor::GRACE;
use crate::stop::Stop;
use sopwith_core::failure::Failure;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};

/// What a signal's number is added to for an exit code, as shells do it.
const SIGNALLED: i32 = 128;

/// One command, its supervising process, and why it might have to end.
pub(super) struct Driver {
    pub(super) job: Job,
    pub(super) child: Child,
    pub(super) socket: UnixStream,
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    pub(super) stage: watch::Sender<Stage>,
    pub(super) stop: Stop,
    pub(super) clock: Arc<dyn Clock>,
}

impl Driver {
    /// Gives the order and waits for the end.
    pub(super) async fn drive(mut self) {
        let ended = self.follow().await;
        // It holds the streams of the command until it is gone.
        let _ = self.child.wait().await;
        self.stage.send_replace(Stage::Ended(ended));
    }

    async fn follow(&mut self) -> Answer<Ending> {
        let lost = |_: io::Error| self.job.lost();
        let (reports, mut orders) = self.socket.split();
        let order = line(&self.job.order());
        orders.write_all(&order).await.map_err(lost)?;
        let mut reports = BufReader::new(reports).lines();
        let (mut cause, mut is_held) = (None, true);
        let started = self.clock.monotonic();
        let own_end = async {
            match self.job.timeout {
                Some(timeout) => self.clock.sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        let (mut own_end, mut stopped) = (std::pin::pin!(own_end), std::pin::pin!(self.stop.reached()));
        loop {
            let request = tokio::select! {
                report = reports.next_line() => match report.map_err(lost)?.as_deref().map(serde_json::from_str) {
                    Some(Ok(Report::Started)) => {
                        self.stage.send_replace(Stage::Started);
                        continue;
                    }
                    Some(Ok(Report::Refused(refusal))) => return Err(self.job.refused(refusal)),
                    Some(Ok(Report::Ended { exit, left_behind, survivors })) => {
                        self.tell_of(survivors);
                        let elapsed = self.clock.monotonic().saturating_sub(started);
                        return Ok(ending(exit, left_behind, elapsed, cause));
                    }
                    Some(Err(_)) | None => return Err(self.job.lost()),
                },
                request = self.requests.recv(), if is_held => {
                    is_held = request.is_some();
                    request.unwrap_or_else(|| end(&mut cause, Failure::cancelled()))
                }
                () = &mut own_end, if cause.is_none() => end(&mut cause, self.job.took_too_long()),
                failure = &mut stopped, if cause.is_none() => end(&mut cause, failure),
            };
            // One that is gone is noticed by its reports.
            let _ = orders.write_all(&line(&request)).await;
        }
    }

    fn tell_of(&self, survivors: usize) {
        if survivors > 0 {
            let command = &self.job.name;
            tracing::error!(command, survivors, "processes of a command cannot be ended");
        }
    }
}

/// The request to end for a reason; the first reason is kept.
fn end(cause: &mut Option<Failure>, failure: Failure) -> Request {
    cause.get_or_insert(failure);
    Request::End {
        grace_ms: u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX),
    }
}

fn ending(exit: Exit, left_behind: usize, elapsed: Duration, cause: Option<Failure>) -> Ending {
    let (exit_code, signal) = match exit {
        Exit::Code(code) => (code, None),
        Exit::Signal(signal) => (SIGNALLED + signal, Some(signal)),
    };
    Ending {
        exit_code,
        signal,
        left_behind,
        elapsed,
        cause,
    }
}
