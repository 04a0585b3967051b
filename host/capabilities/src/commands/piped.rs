//! A command at one end of a flow, worked with on a thread that may wait.

use super::Ready;
use super::launcher::{Ends, Input, Outputs};
use super::output::{Kept, judge, unread};
use super::running::{Ending, Running};
use crate::redaction::Mask;
use crate::stop::Watch;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::runtime::Handle;

/// How long a command that takes no more input may need to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A command whose standard output is read.
pub(crate) struct SourceCommand {
    piped: Piped,
    stdout: Receiver,
}

impl SourceCommand {
    /// Starts it.
    pub(crate) fn start(ready: Ready, watch: &Arc<Watch>) -> Answer<Self> {
        let (piped, ends) = Piped::launch(ready, Input::Empty, watch)?;
        let _within = piped.runtime.enter();
        let stdout = Receiver::from_owned_fd(ends.stdout.into()).map_err(|error| unread(&error))?;
        Ok(Self { piped, stdout })
    }

    /// Waits for what it prints next; nothing at the end.
    pub(crate) fn read(&mut self, chunk: &mut [u8]) -> Answer<usize> {
        let read = self.piped.wait(self.stdout.read(chunk))?;
        read.map_err(|error| unread(&error))
    }

    /// Waits for its end, which has to be a good one; what a person should know of it.
    pub(crate) fn conclude(mut self) -> Answer<Vec<String>> {
        self.piped.conclude()
    }
}

/// A command whose standard input is written.
pub(crate) struct SinkCommand {
    piped: Piped,
    input: Option<Sender>,
    /// Read, so that the command does not wait for it.
    _stdout: Kept,
}

impl SinkCommand {
    /// Starts it.
    pub(crate) fn start(ready: Ready, watch: &Arc<Watch>) -> Answer<Self> {
        let (piped, ends) = Piped::launch(ready, Input::Piped, watch)?;
        let _within = piped.runtime.enter();
        let input = ends
            .input
            .map(|input| Sender::from_owned_fd(input.into()))
            .transpose();
        Ok(Self {
            _stdout: Kept::of(ends.stdout, 0, None)?,
            input: input.map_err(|error| piped.took_no_more(&error.to_string()))?,
            piped,
        })
    }

    /// Waits until it has taken all of this.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        let written = self.piped.wait(input.write_all(bytes))?;
        written.map_err(|error| self.piped.why_no_more(&error))
    }

    /// Says that this was all, and waits for its end, which has to be a good one; what a person
    /// should know of it.
    pub(crate) fn conclude(mut self) -> Answer<Vec<String>> {
        self.piped.running.close_input();
        self.input = None;
        self.piped.conclude()
    }
}

/// A command that was started for a flow. Dropped before its end, it is ended; until then its input
/// stays open, so that it does not take a part for the whole.
struct Piped {
    name: String,
    running: Running,
    stderr: Option<Kept>,
    mask: Mask,
    runtime: Handle,
    watch: Arc<Watch>,
}

impl Piped {
    fn launch(ready: Ready, input: Input, watch: &Arc<Watch>) -> Answer<(Self, Ends)> {
        let (name, mask, runtime) = (ready.name().to_owned(), ready.mask.clone(), ready.runtime.clone());
        let output_bytes_max = ready.output_bytes_max;
        let _within = runtime.enter();
        let (running, mut ends) = ready.launch(input, Outputs::Apart)?;
        let stderr = ends.stderr.take();
        let stderr = stderr.map(|output| Kept::of(output, output_bytes_max, None));
        let piped = Self {
            name,
            running,
            stderr: stderr.transpose()?,
            mask,
            runtime: runtime.clone(),
            watch: Arc::clone(watch),
        };
        Ok((piped, ends))
    }

    /// Waits on this thread, until the flow has to end.
    fn wait<T>(&self, future: impl Future<Output = T>) -> Answer<T> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                failure = self.watch.ended() => Err(failure),
                done = future => Ok(done),
            }
        })
    }

    /// Waits for its end, which has to be a good one; what a person should know of it.
    fn conclude(&mut self) -> Answer<Vec<String>> {
        let ending = self.wait(self.running.ended())??;
        self.judge(&ending)?;
        let warning = format!(
            "the command `{}` left {} processes behind, which were ended",
            self.name, ending.left_behind
        );
        Ok((ending.left_behind > 0).then_some(warning).into_iter().collect())
    }

    fn judge(&mut self, ending: &Ending) -> Answer<()> {
        let stderr = self.stderr.as_mut().map(|stderr| {
            self.runtime.block_on(stderr.ended(self.watch.clock()));
            stderr.take(usize::MAX)
        });
        judge(&self.name, ending, &stderr.unwrap_or_default(), &self.mask)
    }

    /// Why it could not be written to.
    fn why_no_more(&mut self, error: &io::Error) -> Failure {
        let ended = self.wait(async {
            tokio::select! {
                ended = self.running.ended() => Some(ended),
                () = self.watch.clock().sleep(LAST_WORDS) => None,
            }
        });
        let judged = match ended {
            Ok(Some(Ok(ending))) => self.judge(&ending),
            Ok(Some(Err(failure))) | Err(failure) => Err(failure),
            Ok(None) => Ok(()),
        };
        judged
            .err()
            .unwrap_or_else(|| self.took_no_more(&error.to_string()))
    }

    fn took_no_more(&self, why: &str) -> Failure {
        let message = format!("the command `{}` did not read all of its input: {why}", self.name);
        let failure = Failure::new(FailureKind::Failed, Blame::Outside, message);
        failure.with("resource", format!("commands.{}", self.name))
    }
}
