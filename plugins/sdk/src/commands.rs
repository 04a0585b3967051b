//! Commands that the operator wrote down, by the name that they have there.
//!
//! ```no_run
//! use sopwith::commands::Command;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! Command::new("stop-app").succeed()?;
//! let migrated = Command::new("migrate").with("revision", "head").run()?;
//! if migrated.exit_code == 3 {
//!     sopwith::warn!("there was nothing to migrate: {}", migrated.error_text());
//! }
//!
//! let app = Command::new("start-on-copy").with("database", "scratch:1").start()?;
//! let seen = String::from_utf8_lossy(&app.read(4096)?).into_owned();
//! app.stop(Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::commands as host;
use crate::{Blame, Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use host::Output;

/// The name of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Command(String);

crate::resource_name!(Command);

impl Command {
    /// Fills in a blank.
    pub fn with(&self, blank: impl Into<String>, value: impl Into<String>) -> Call {
        Call::from(self).with(blank, value)
    }

    /// Gives it these bytes to read.
    pub fn with_input(&self, input: impl Into<Vec<u8>>) -> Call {
        Call::from(self).with_input(input)
    }

    /// Runs it to its end, whatever that is.
    pub fn run(&self) -> Result<Output> {
        Call::from(self).run()
    }

    /// Runs it, and fails unless it exits with 0.
    pub fn succeed(&self) -> Result<Output> {
        Call::from(self).succeed()
    }

    /// Starts it beside the plugin.
    pub fn start(&self) -> Result<Process> {
        Call::from(self).start()
    }
}

/// A command that is yet to be run, with what stands in its blanks.
#[derive(Debug, Clone)]
#[must_use = "nothing runs without `run`, `succeed` or `start`"]
pub struct Call {
    pub(crate) command: String,
    pub(crate) arguments: Vec<(String, String)>,
    input: Vec<u8>,
}

impl From<&Command> for Call {
    fn from(command: &Command) -> Self {
        Self {
            command: command.0.clone(),
            arguments: Vec::new(),
            input: Vec::new(),
        }
    }
}

impl Call {
    /// Fills in a blank.
    pub fn with(mut self, blank: impl Into<String>, value: impl Into<String>) -> Self {
        self.arguments.push((blank.into(), value.into()));
        self
    }

    /// Gives it these bytes to read; one that is started has none.
    pub fn with_input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it to its end, whatever that is.
    pub fn run(self) -> Result<Output> {
        Ok(host::run(&self.command, &self.arguments, &self.input)?)
    }

    /// Runs it, and fails unless it exits with 0.
    pub fn succeed(self) -> Result<Output> {
        let command = self.command.clone();
        let output = self.run()?;
        if output.exit_code == 0 {
            return Ok(output);
        }
        let how = match output.signal {
            Some(signal) => format!("was ended by the signal {signal}"),
            None => format!("exited with {}", output.exit_code),
        };
        let said = output.error_text();
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let why = last.map(|line| format!(": {}", line.trim())).unwrap_or_default();
        let error = Error::failed(format!("the command `{command}` {how}{why}"));
        Err(error.with_blame(Blame::Outside))
    }

    /// Starts it beside the plugin.
    pub fn start(self) -> Result<Process> {
        Ok(Process(host::start(&self.command, &self.arguments)?))
    }
}

impl Output {
    /// Its standard output as text, with `�` for what is no UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its standard error as text, with `�` for what is no UTF-8.
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Its standard output as JSON; `limit` where it was cut off.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if self.truncated {
            let message = format!("the command printed more than {} bytes", self.stdout.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        serde_json::from_slice(&self.stdout).context("the output of the command")
    }
}

/// A command that goes on beside the plugin. Dropped, it is stopped.
#[derive(Debug)]
pub struct Process(host::Process);

impl Process {
    /// What it printed since the last call, on either output; nothing if that is nothing.
    pub fn read(&self, bytes_max: u64) -> Result<Vec<u8>> {
        Ok(self.0.read(bytes_max)?)
    }

    /// None while it runs.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code()
    }

    /// Asks it to end, ends it after this time, and tells how it ended. What was not read yet is in
    /// `stdout`.
    pub fn stop(self, grace: Duration) -> Result<Output> {
        let grace_ms = u32::try_from(grace.as_millis()).unwrap_or(u32::MAX);
        Ok(self.0.stop(grace_ms)?)
    }
}
