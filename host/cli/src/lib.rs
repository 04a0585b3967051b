//! The command line of Sopwith.

mod answering;
mod asking;
mod clock;
mod command;
mod connect;
mod descriptors;
mod exit;
mod foundation;
pub mod host;
mod init;
mod lock;
mod logging;
mod meant;
mod moment;
mod output;
mod progress;
mod reader;
mod secrecy;
mod signals;
mod standard;
mod when;

use clap::Parser;
use exit::{Ended, Exit};
use rustix::process::Signal;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// The one argument by which a host starts this binary to carry out a session of SQL.
const SQL_SESSION: &str = "sql-session";
/// The first argument by which a host starts this binary to supervise a command; the name of the
/// command follows.
const SUPERVISE_COMMAND: &str = "supervise-command";

/// Does what the command line says, and tells the exit code.
pub fn main() -> ExitCode {
    if let Err(error) = secrecy::forbid_dumps() {
        anstream::eprintln!("error: the memory of this process cannot be kept private: {error}");
        return ExitCode::from(Exit::NotPassed.code());
    }
    secrecy::mask_panics();
    if std::env::args_os().skip(1).eq([SQL_SESSION]) {
        return sopwith_capabilities::serve_session(Arc::new(clock::SystemClock::new()));
    }
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == SUPERVISE_COMMAND)
    {
        return supervise();
    }
    // clap ends a command line that makes no sense with 2 by itself.
    let arguments = command::Arguments::parse();
    logging::start(arguments.log_format(), arguments.is_service());
    if let Err(error) = descriptors::raise_limit() {
        tracing::warn!("the host may have few files open at once: {error}");
    }
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: no thread can be started: {error}");
            return ExitCode::from(Exit::NotPassed.code());
        }
    };
    if let Err(error) = outlive_limits_of_files(&runtime) {
        anstream::eprintln!("error: signals cannot be received: {error}");
        return ExitCode::from(Exit::NotPassed.code());
    }
    let result = runtime.block_on(arguments.run());
    // What still sits in a blocking call when the command is done is not waited for.
    runtime.shutdown_background();
    let exit = result.unwrap_or_else(|error| report(&error));
    ExitCode::from(exit.code())
}

/// Where a file may not grow further (`LimitFSIZE=`, `ulimit -f`), the write fails and says so; without this
/// a signal would end the host instead. The commands that it starts do not inherit that.
fn outlive_limits_of_files(runtime: &Runtime) -> io::Result<()> {
    let _within = runtime.enter();
    // Once somebody has listened to it, a signal ends nobody any more.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

fn supervise() -> ExitCode {
    match sopwith_capabilities::supervise() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: no command of a host can be supervised here: {error}");
            ExitCode::from(Exit::Usage.code())
        }
    }
}

/// Says what went wrong on standard error, and what that means for the exit code.
fn report(error: &anyhow::Error) -> Exit {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let redactor = secrecy::redactor();
    let message = format!("{error:#}");
    anstream::eprintln!("{} {}", output::painted(red, "error:"), redactor.mask(&message));
    let Some(ended) = error.downcast_ref::<Ended>() else {
        return Exit::NotPassed;
    };
    if let Some(hint) = &ended.hint {
        anstream::eprintln!("hint: {}", redactor.mask(hint));
    }
    ended.exit
}
