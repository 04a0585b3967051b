//! Commands that the operator wrote down.

use super::{Answer, Pairs};
use async_trait::async_trait;
use std::time::Duration;

/// How a command ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Its exit code; 128 and the signal's number where a signal ended it, as shells have it.
    pub exit_code: i32,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output, as much of it as is kept.
    pub stdout: Vec<u8>,
    /// Its standard error, as much of it as is kept.
    pub stderr: Vec<u8>,
    /// Whether it printed more than is kept.
    pub truncated: bool,
    /// From its start to its end.
    pub elapsed: Duration,
    /// Known names: `left-behind`, how many processes it left behind, which were ended with it.
    pub extra: Pairs,
}

/// Runs commands by their names.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Runs a command to its end. That it exits with another code than 0 is no error.
    async fn run(&self, command: &str, arguments: Pairs, stdin: Vec<u8>) -> Answer<CommandOutput>;
    /// Starts a command that goes on beside the plugin. Its standard input is empty.
    async fn start(&self, command: &str, arguments: Pairs) -> Answer<Box<dyn Process>>;
}

/// A command that goes on; dropped, it is ended.
#[async_trait]
pub trait Process: Send + Sync {
    /// What it printed since the last call, on either output.
    async fn read(&mut self, bytes_max: u64) -> Answer<Vec<u8>>;
    /// None while it runs.
    fn exit_code(&self) -> Option<i32>;
    /// Asks it to end, and ends it after this time. What was not read yet is in `stdout`.
    async fn stop(&mut self, grace: Duration) -> Answer<CommandOutput>;
}
