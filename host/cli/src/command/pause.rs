//! `sopwith pause` and `sopwith resume`: hold ticks off, and let them run again.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use sopwith_config::nearest_name;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::operations::Operations;
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
#[command(
    override_usage = "sopwith pause [OPTIONS] <PROCEDURE> [ACTION]\n       sopwith pause [OPTIONS] --all"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    meant: Meant,
    /// Why, for those who ask `why`
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "sopwith resume [OPTIONS] <PROCEDURE> [ACTION]\n       sopwith resume [OPTIONS] --all"
)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    meant: Meant,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let scope = arguments.meant.scope();
    must_be_known(host.operations(), &scope).await?;
    let paused = host.operations().pause(scope, arguments.reason).await;
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
    let scope = arguments.meant.scope();
    must_be_known(host.operations(), &scope).await?;
    let resumed = host.operations().resume(scope).await;
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

/// What nobody wrote is neither paused nor resumed; what is gone and still paused is.
async fn must_be_known(host: &dyn Operations, scope: &PauseScope) -> Result<(), Ended> {
    let Some(name) = &scope.procedure else {
        return Ok(());
    };
    let status = host.status().await.map_err(Ended::from)?;
    let paused = status
        .pauses
        .iter()
        .filter_map(|pause| pause.scope.procedure.as_ref());
    let mut known = status.procedures.iter().map(|one| &one.name).chain(paused);
    if known.any(|known| known == name) {
        return Ok(());
    }
    let names = status.procedures.iter().map(|one| one.name.as_str());
    let listed = || "`sopwith status` lists them".to_owned();
    Err(Ended {
        exit: Exit::Usage,
        message: format!("there is no procedure `{name}`"),
        hint: Some(nearest_name(name.as_str(), names).unwrap_or_else(listed)),
    })
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
