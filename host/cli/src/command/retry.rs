//! `sopwith retry`: does again what a run did that has ended.

use super::Common;
use super::run::{Patience, follow, not_run};
use crate::connect::connect_to_run;
use crate::exit::{Ended, Exit};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its newest run)
    run: String,
    #[command(flatten)]
    patience: Patience,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect_to_run(&common.folder()).await?;
    let meant = host.operations().run(&arguments.run).await.map_err(Ended::from)?;
    let run = host.operations().retry(meant.run.id()).await.map_err(not_run)?;
    follow(&host, run, arguments.patience, common).await
}
