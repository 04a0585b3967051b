//! `sopwith cancel`: asks a run to end.

use super::Common;
use crate::connect::connect;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its newest run)
    run: String,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let meant = host.operations().run(&arguments.run).await?.run;
    let run = host.operations().cancel(meant.id()).await?;
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
