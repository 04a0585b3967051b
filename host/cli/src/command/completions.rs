//! `sopwith completions`: prints completions for a shell.

use super::Arguments as Everything;
use crate::exit::Exit;
use clap::CommandFactory as _;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Exit {
    clap_complete::generate(
        arguments.shell,
        &mut Everything::command(),
        "sopwith",
        &mut std::io::stdout(),
    );
    Exit::Passed
}
