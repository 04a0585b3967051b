//! `sopwith cancel`: asks a run to end.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::meant::the_run;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its run that is under way)
    run: String,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let meant = the_run(host.operations(), &arguments.run, |_| true, "are under way").await;
    let id = meant.map_err(Ended::from)?.id();
    let run = host.operations().cancel(id).await.map_err(Ended::from)?;
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
