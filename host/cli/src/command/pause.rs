//! `sopwith pause` and `sopwith resume`: hold ticks off, and let them run again.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::{Pause, PauseScope};

/// What is meant.
#[derive(Debug, clap::Args)]
struct Meant {
    /// Which procedure
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    procedure: Option<ProcedureName>,
    /// Which action of it [default: all]
    action: Option<ActionName>,
    /// The whole host: no run starts any more
    #[arg(long)]
    all: bool,
}

impl Meant {
    fn scope(self) -> PauseScope {
        PauseScope {
            procedure: self.procedure,
            action: self.action,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    meant: Meant,
    /// Why, for those who ask `why`
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    meant: Meant,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let paused = host
        .operations()
        .pause(arguments.meant.scope(), arguments.reason)
        .await;
    let pause = paused.map_err(Ended::from)?;
    if common.json {
        output::json(&pause)?;
    } else if pause.scope == PauseScope::HOST {
        anstream::println!("paused the host: nothing starts, and what runs comes to its end");
    } else {
        anstream::println!(
            "paused {}: its ticks are skipped, and what runs comes to its end",
            pause.scope
        );
    }
    Ok(Exit::Passed)
}

pub(crate) async fn resume(arguments: ResumeArguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let resumed = host.operations().resume(arguments.meant.scope()).await;
    let ended = resumed.map_err(Ended::from)?;
    if common.json {
        output::json(&ended)?;
    } else {
        for pause in &ended {
            anstream::println!(
                "resumed {}, which was paused since {}",
                pause.scope,
                instant(pause.since)
            );
        }
    }
    Ok(Exit::Passed)
}

/// A pause in a sentence.
pub(crate) fn sentence(pause: &Pause) -> String {
    let reason = pause.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {}", output::one_line(reason)));
    format!(
        "{} is paused since {}, by {}{reason}",
        pause.scope,
        instant(pause.since),
        pause.by
    )
}
