//! The command line of Sopwith.

mod clock;
mod command;
mod connect;
mod exit;
mod foundation;
pub mod host;
mod init;
mod lock;
mod logging;
mod output;
mod progress;
mod reader;
mod standard;

use clap::Parser;
use exit::{Ended, Exit};
use std::process::ExitCode;

/// Does what the command line says, and tells the exit code.
pub fn main() -> ExitCode {
    // clap ends a command line that makes no sense with 2 by itself.
    let arguments = command::Arguments::parse();
    logging::start(arguments.log_format(), arguments.is_service());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: no thread can be started: {error}");
            return ExitCode::from(Exit::NotPassed.code());
        }
    };
    let result = runtime.block_on(arguments.run());
    // What still sits in a blocking call when the command is done is not waited for.
    runtime.shutdown_background();
    let exit = result.unwrap_or_else(|error| report(&error));
    ExitCode::from(exit.code())
}

/// Says what went wrong on standard error, and what that means for the exit code.
fn report(error: &anyhow::Error) -> Exit {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{} {error:#}", output::painted(red, "error:"));
    let Some(ended) = error.downcast_ref::<Ended>() else {
        return Exit::NotPassed;
    };
    if let Some(hint) = &ended.hint {
        anstream::eprintln!("hint: {hint}");
    }
    ended.exit
}
