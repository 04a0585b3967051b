//! `sopwith schedule next`: the coming instants of schedules.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use clap::Subcommand;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::operations::ComingTick;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the next instants, and mark those on a day on which the clocks change
    Next {
        /// Of this procedure alone
        procedure: Option<ProcedureName>,
        /// How many
        #[arg(long, default_value_t = 10)]
        count: u32,
    },
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Command::Next { procedure, count } = &arguments.command;
    let host = connect(&common.folder()).await?;
    let ticks = host
        .operations()
        .coming(procedure.clone(), *count)
        .await
        .map_err(Ended::from)?;
    if common.json {
        output::json(&ticks)?;
    } else if ticks.is_empty() {
        anstream::eprintln!("no schedule names a coming instant");
    } else {
        output::table(
            &["AT", "PROCEDURE", "SCHEDULE", "ACTION", ""],
            ticks.iter().map(row).collect(),
        );
    }
    Ok(Exit::Passed)
}

fn row(tick: &ComingTick) -> Vec<String> {
    vec![
        tick.local.clone(),
        tick.procedure.to_string(),
        tick.schedule.to_string(),
        tick.action.to_string(),
        mark(tick),
    ]
}

/// What is special about a tick.
fn mark(tick: &ComingTick) -> String {
    let late = tick.starts_at.filter(|start| *start != tick.at);
    let start = match (tick.starts_at, tick.closed) {
        (None, Some(reason)) => Some(format!("will be {}", reason.as_str())),
        (Some(start), Some(_)) => Some(format!(
            "waits until {}, unless a newer one is due",
            instant(start)
        )),
        _ => late.map(|start| format!("starts at {}", instant(start))),
    };
    let change = tick
        .near_clock_change
        .then(|| "the clocks change on this day".to_owned());
    let marks: Vec<_> = start.into_iter().chain(change).collect();
    marks.join("; ")
}
