//! Runs a command to its end, whoever asked for it.

use super::family::Family;
use super::job::Job;
use super::launcher::{Ends, Input, Launcher, Outputs};
use super::output::Kept;
use super::running::{Ending, Running};
use crate::stop::Stop;
use sopwith_core::port::capabilities::{Answer, CommandOutput, Pairs};
use std::io::PipeWriter;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Sender;

/// Runs a command to its end, with this input. Of each output so many bytes are kept; secrets in
/// them are not masked. Once it is time to stop nobody waits for its end but the family.
pub(crate) async fn execute(
    launcher: &Launcher,
    job: Job,
    stdin: Vec<u8>,
    stop: &Stop,
    bytes_max: usize,
    family: &Family,
) -> Answer<CommandOutput> {
    stop.check()?;
    let input = if stdin.is_empty() {
        Input::Empty
    } else {
        Input::Piped
    };
    let (running, ends) = launcher.launch(job, (input, Outputs::Apart), stop.clone(), family)?;
    let Ends {
        input,
        stdout,
        stderr,
    } = ends;
    let mut stdout = Kept::of(stdout, bytes_max, None)?;
    let mut stderr = stderr
        .map(|output| Kept::of(output, bytes_max, None))
        .transpose()?;
    let ending = tokio::select! {
        biased;
        failure = stop.reached() => return Err(failure),
        ending = end(&running, input, stdin) => ending?,
    };
    if let Some(cause) = ending.cause {
        return Err(cause);
    }
    stdout.ended(launcher.clock()).await;
    if let Some(stderr) = &mut stderr {
        stderr.ended(launcher.clock()).await;
    }
    let is_truncated = |kept: &Kept| kept.is_truncated();
    Ok(CommandOutput {
        truncated: is_truncated(&stdout) || stderr.as_ref().is_some_and(is_truncated),
        stdout: stdout.take(usize::MAX),
        stderr: stderr.map(|kept| kept.take(usize::MAX)).unwrap_or_default(),
        exit_code: ending.exit_code,
        signal: ending.signal,
        elapsed: ending.elapsed,
        extra: extra(&ending),
    })
}

/// What is told of an ending besides.
pub(super) fn extra(ending: &Ending) -> Pairs {
    let left_behind = (ending.left_behind > 0).then(|| ending.left_behind.to_string());
    let left_behind = left_behind.map(|count| ("left-behind".to_owned(), count));
    left_behind.into_iter().collect()
}

/// Writes the input, as far as the command takes it, and waits for its end.
async fn end(running: &Running, input: Option<PipeWriter>, stdin: Vec<u8>) -> Answer<Ending> {
    running.started().await?;
    if let Some(input) = input {
        let written = write(input, &stdin);
        tokio::select! {
            () = written => running.close_input(),
            ending = running.ended() => return ending,
        }
    }
    running.ended().await
}

/// A command that does not read all of it may have its reasons.
async fn write(input: PipeWriter, bytes: &[u8]) {
    if let Ok(mut input) = Sender::from_owned_fd(input.into()) {
        let _ = input.write_all(bytes).await;
    }
}
