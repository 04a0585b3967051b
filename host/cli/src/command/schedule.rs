//! `sopwith schedule next`: the coming instants of schedules.

use super::Common;
use crate::clock::SystemClock;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::moment::Said;
use crate::output::{self, instant};
use clap::Subcommand;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::Clock as _;
use sopwith_core::port::operations::{ComingFilter, ComingTick};

/// How many instants are shown where nobody says.
const COUNT: u32 = 10;

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
        /// How many at most [default: 10, or all where an end is named]
        #[arg(long)]
        count: Option<u32>,
        /// From this date or time on instead of now: RFC 3339, local to each schedule (`2026-03-29`,
        /// `2026-03-29T02:30`), or ahead (`7d`)
        #[arg(long, value_name = "TIME")]
        from: Option<Said>,
        /// Before this time, or up to the end of this date
        #[arg(long, value_name = "TIME")]
        until: Option<Said>,
    },
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Command::Next {
        procedure,
        count,
        from,
        until,
    } = &arguments.command;
    let host = connect(&common.folder()).await?;
    let now = SystemClock::new().now();
    let filter = ComingFilter {
        procedure: procedure.clone(),
        from: from.map(|from| from.ahead(now)),
        until: until.map(|until| until.ahead(now)),
        count: count.or_else(|| until.is_none().then_some(COUNT)),
    };
    let ticks = host.operations().coming(filter).await.map_err(Ended::from)?;
    if common.json {
        output::json(&ticks)?;
    } else if ticks.is_empty() {
        anstream::eprintln!("no schedule names such an instant");
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
