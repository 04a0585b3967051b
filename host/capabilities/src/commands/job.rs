//! A command with all its blanks filled in, ready to be started; nobody asks here who may.

use super::message::{Order, Refusal};
use sopwith_core::command::Command;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A command that can be started.
#[derive(Clone)]
pub(crate) struct Job {
    /// The operator's name for it.
    pub(crate) name: String,
    program: PathBuf,
    sha256: Option<Digest>,
    arguments: Vec<OsString>,
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
    /// How long it may take by itself.
    pub(crate) timeout: Option<Duration>,
}

impl Job {
    /// The command of this name, with all its arguments and its whole environment.
    pub(crate) fn new(
        name: &str,
        command: &Command,
        arguments: Vec<OsString>,
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            program: command.program.clone(),
            sha256: command.sha256,
            arguments,
            directory: command.directory.clone().unwrap_or_else(|| PathBuf::from("/")),
            environment,
            timeout: command.timeout,
        }
    }

    pub(super) fn order(&self) -> Order {
        Order {
            program: self.program.clone(),
            sha256: self.sha256,
            arguments: self.arguments.clone(),
            directory: self.directory.clone(),
            environment: self.environment.clone(),
        }
    }

    /// Why it was not started.
    pub(super) fn refused(&self, refusal: Refusal) -> Failure {
        let program = self.program.display();
        let (what, key, number) = match refusal {
            Refusal::Digest(found) => return self.other_digest(found),
            Refusal::Supervisor(number) => {
                let message = format!("cannot supervise the command `{}`: {}", self.name, reason(number));
                return Failure::host(message).retryable();
            }
            Refusal::Directory(number) => (
                format!("its working directory `{}`", self.directory.display()),
                "directory",
                number,
            ),
            Refusal::Program(number) => (format!("`{program}`"), "program", number),
            Refusal::Unreadable(number) => (
                format!("`{program}` cannot be read for its digest"),
                "program",
                number,
            ),
        };
        let message = format!(
            "the command `{}` cannot be started: {what}: {}",
            self.name,
            reason(number)
        );
        let failure = Failure::new(kind(number), Blame::Operator, message);
        self.named(failure.hint(format!(
            "look at `{key}` under [commands.{}] in sopwith.toml",
            self.name
        )))
    }

    fn other_digest(&self, found: Digest) -> Failure {
        let pinned = self.sha256.map(|digest| digest.to_string()).unwrap_or_default();
        let message = format!(
            "the command `{}` is not started: `{}` has the digest `{found}` and not the pinned `{pinned}`",
            self.name,
            self.program.display()
        );
        let hint = format!(
            "where these bytes are meant, change under [commands.{}] in sopwith.toml:  sha256 = \"{}\"",
            self.name,
            found.hexadecimal()
        );
        self.named(Failure::new(FailureKind::Conflict, Blame::Operator, message).hint(hint))
    }

    /// It took longer than it may.
    pub(super) fn took_too_long(&self) -> Failure {
        let message = format!(
            "the command `{}` took longer than its {:?}",
            self.name,
            self.timeout.unwrap_or_default()
        );
        let hint = format!(
            "if the work needs it, raise `timeout` under [commands.{}] in sopwith.toml",
            self.name
        );
        self.named(Failure::new(FailureKind::Timeout, Blame::Outside, message).hint(hint))
    }

    /// Nobody knows what became of it.
    pub(super) fn lost(&self) -> Failure {
        let message = format!(
            "the process that supervises the command `{}` ended early; what it started may still run",
            self.name
        );
        self.named(Failure::host(message))
    }

    fn named(&self, failure: Failure) -> Failure {
        failure.with("resource", format!("commands.{}", self.name))
    }
}

/// The values of its environment are nobody's business.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

fn kind(number: i32) -> FailureKind {
    match io::Error::from_raw_os_error(number).kind() {
        io::ErrorKind::NotFound => FailureKind::NotFound,
        io::ErrorKind::ArgumentListTooLong | io::ErrorKind::InvalidInput => FailureKind::Invalid,
        _ => FailureKind::Failed,
    }
}

fn reason(number: i32) -> String {
    let error = io::Error::from_raw_os_error(number);
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file, or nothing that interprets it".to_owned(),
        io::ErrorKind::PermissionDenied => "the user of the host may not execute it".to_owned(),
        io::ErrorKind::NotADirectory => "it is no directory".to_owned(),
        io::ErrorKind::ArgumentListTooLong => "arguments and environment are too long".to_owned(),
        io::ErrorKind::InvalidInput => "an argument or a variable has a zero byte".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}
