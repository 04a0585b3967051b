//! `sopwith logs`: prints what a run logged.

use super::Common;
use super::show::note_line;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use sopwith_core::journal::JournalEntry;
use sopwith_core::run::RunId;
use std::time::Duration;

/// How often a run that is followed is asked for more.
const ASK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its newest run)
    run: String,
    /// Go on printing until the run ends
    #[arg(short, long)]
    follow: bool,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let id = host
        .operations()
        .run(&arguments.run)
        .await
        .map_err(Ended::from)?
        .run
        .id();
    let mut after = 0;
    loop {
        // Asked before the record is read, so that nothing is missed that was written before the end.
        let ended = has_ended(&host, id).await?;
        loop {
            let page = host.operations().journal(id, after).await.map_err(Ended::from)?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, entry) in &page {
                print(entry, common)?;
            }
        }
        if ended || !arguments.follow || !host.is_remote() {
            return Ok(Exit::Passed);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn has_ended(host: &crate::connect::Connected, id: RunId) -> Result<bool, Ended> {
    Ok(host.operations().run(&id.to_string()).await?.run.state.is_final())
}

fn print(entry: &JournalEntry, common: &Common) -> anyhow::Result<()> {
    if common.json {
        anstream::println!("{}", serde_json::to_string(entry)?);
    } else if let Some(line) = note_line(&entry.note) {
        let at = instant(entry.at);
        anstream::println!("{at}  {}", output::continued(&line, at.len() + 2));
    }
    Ok(())
}
