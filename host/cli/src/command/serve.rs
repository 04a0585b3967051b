//! `sopwith serve`: runs procedures on their schedules until told to stop.

use super::Common;
use crate::exit::Exit;
use crate::host::Host;
use crate::signals::Signals;
use anyhow::Context as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long attempts that are under way may go on after the service was told to stop
    #[arg(long, default_value = "30s", value_parser = parse_duration)]
    grace: Duration,
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is not a duration like `30s`"))?;
    Duration::try_from(duration).map_err(|_| "a duration is not negative".to_owned())
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = Host::start_service(&common.folder()).await?;
    // Before anybody hears that the service is ready, and may tell it to stop.
    let signals = Signals::listen().context("signals cannot be received")?;
    let stop = CancellationToken::new();
    tokio::spawn(until_told(signals, stop.clone()));
    host.serve(stop, arguments.grace).await.map(|()| Exit::Passed)
}

/// Waits for a signal. A second one ends the process as it stands: whatever is under way
/// then is taken up by the next host.
async fn until_told(mut signals: Signals, stop: CancellationToken) {
    for first in [true, false] {
        signals.received().await;
        if first {
            tracing::info!("told to stop; attempts under way may come to their end");
            stop.cancel();
        } else {
            tracing::warn!("told to stop at once");
            std::process::exit(1);
        }
    }
}
