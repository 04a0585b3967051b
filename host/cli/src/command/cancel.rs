//! `sopwith cancel`: asks a run to end.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output;
use sopwith_core::failure::Failure;
use sopwith_core::port::operations::Operations;
use sopwith_core::run::{Run, RunId};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its run that is under way)
    run: String,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let meant = meant(host.operations(), &arguments.run).await?;
    let run = host.operations().cancel(meant).await.map_err(Ended::from)?;
    if common.json {
        output::json(&run)?;
    } else if run.state.is_final() {
        anstream::println!("{} is {}", run.id(), run.state);
    } else if host.is_remote() {
        anstream::println!("{} was asked to end", run.id());
    } else {
        anstream::println!("{} will end when a host starts: none is running", run.id());
    }
    Ok(Exit::Passed)
}

/// The one run of the procedure that has not ended, or whichever run is meant.
async fn meant(host: &dyn Operations, text: &str) -> anyhow::Result<RunId> {
    let unfinished = host.status().await.map_err(Ended::from)?.unfinished;
    let of_procedure: Vec<_> = unfinished
        .iter()
        .filter(|run| run.queued.procedure.as_str() == text)
        .map(Run::id)
        .collect();
    match of_procedure.as_slice() {
        [] => Ok(host.run(text).await.map_err(Ended::from)?.run.id()),
        [run] => Ok(*run),
        runs => {
            let ids: Vec<_> = runs.iter().map(ToString::to_string).collect();
            let several = Failure::invalid(format!("several runs of `{text}` are under way"));
            Err(Ended::from(several.hint(format!("one of {}", ids.join(", ")))).into())
        }
    }
}
