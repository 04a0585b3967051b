//! `sopwith audit`: lists, shows, verifies, exports, redacts and anchors the audit log.

mod export;
mod file;
mod list;
mod verify;

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output;
use clap::Subcommand;
use serde_json::json;
use sopwith_core::generation::Anchor;
use sopwith_core::port::operations::{AnchorStatus, AuditStatus};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List entries, newest first
    List(list::Arguments),
    /// Show everything about an entry
    Show {
        /// Its number
        seq: u64,
    },
    /// Verify the log of this host, or an export with nothing but a public key
    Verify(verify::Arguments),
    /// Write the log, or a part of it, for somebody else to verify
    Export(export::Arguments),
    /// Take the details of an entry away for good; that they were there stays on record
    Redact {
        /// The number of the entry
        seq: u64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Sign the log as it is now, and tell all anchors
    Anchor,
    /// Print the public key that exports are verified with
    Key,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::List(arguments) => list::run(arguments, common).await,
        Command::Show { seq } => list::show(seq, common).await,
        Command::Verify(arguments) => verify::run(&arguments, common).await,
        Command::Export(arguments) => export::run(&arguments, common).await,
        Command::Redact { seq, reason } => redact(seq, reason, common).await,
        Command::Anchor => anchor(common).await,
        Command::Key => key(common).await,
    }
}

async fn redact(seq: u64, reason: String, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let redacted = host.operations().redact_audit(seq, reason).await;
    let entry = redacted.map_err(Ended::from)?;
    if common.json {
        output::json(&entry)?;
    } else {
        anstream::println!("the details of entry {seq} are gone; entry {} says so", entry.seq);
    }
    Ok(Exit::Passed)
}

async fn anchor(common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let anchors = host.operations().anchor_audit().await.map_err(Ended::from)?;
    if common.json {
        output::json(&anchors)?;
    } else {
        for anchor in &anchors {
            anstream::println!("{}", told(anchor));
        }
    }
    Ok(if anchors.iter().all(|anchor| anchor.is_current) {
        Exit::Passed
    } else {
        Exit::NotPassed
    })
}

/// How an anchor stands, as a sentence.
pub(crate) fn told(anchor: &AnchorStatus) -> String {
    let place = match &anchor.anchor {
        Anchor::File(path) => path.display().to_string(),
        Anchor::Command(name) => format!("the command {name}"),
    };
    let has = match (anchor.seq, anchor.is_current) {
        (None, true) => "nothing is signed yet".to_owned(),
        (None, false) => "it has heard nothing yet".to_owned(),
        (Some(seq), true) => format!("it has all up to entry {seq}"),
        (Some(seq), false) => format!("it is behind, at entry {seq}"),
    };
    let problem = anchor.problem.iter().map(|problem| format!("; {problem}"));
    format!(
        "anchor {} ({place}): {has}{}",
        anchor.name,
        problem.collect::<String>()
    )
}

async fn key(common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let AuditStatus { key, problem, .. } = host.operations().audit_status().await.map_err(Ended::from)?;
    let Some(key) = key else {
        // Of a key that is gone or damaged the problem says what to do: another one does not stand in for it.
        let makes_one = "`sopwith secrets init-key` makes one, and so does the service at its first start";
        let hint = problem.is_none().then(|| makes_one.to_owned());
        return Err(Ended {
            exit: Exit::NotPassed,
            message: problem.unwrap_or_else(|| "this host has no key yet".to_owned()),
            hint,
        }
        .into());
    };
    if common.json {
        output::json(&json!({ "key": key }))?;
    } else {
        anstream::println!("{key}");
    }
    Ok(Exit::Passed)
}
