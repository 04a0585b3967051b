//! `sopwith audit verify`: follows the chain of the audit log.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follow the chain from its first entry to its last
    Verify,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Command::Verify = arguments.command;
    let host = connect(&common.folder()).await?;
    let verdict = host.operations().verify_audit().await.map_err(Ended::from)?;
    if common.json {
        output::json(&verdict)?;
    } else if let Some(broken) = &verdict.broken {
        anstream::println!(
            "the audit log is broken after {} good entries: {broken}",
            verdict.entries
        );
    } else {
        anstream::println!(
            "the audit log holds: {} entries, head {}",
            verdict.entries,
            verdict.head
        );
    }
    Ok(if verdict.broken.is_none() {
        Exit::Passed
    } else {
        Exit::NotPassed
    })
}
