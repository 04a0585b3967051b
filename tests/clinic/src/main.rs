//! The binary `clinic`: serves until it is told to stop, or fills a database.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use clinic::{Breakage, Options, clock};
use tokio::signal::unix::{SignalKind, signal};

/// A small clinic: an HTTP service on SQLite that keeps writing.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where `app.db` and `attachments/` are, or are created
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,

    /// The address to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// How many transactions the writer commits in a second; 0 for none
    #[arg(long, value_name = "N", default_value_t = 20)]
    writes_per_second: u32,

    /// Breaks something from the start; may stand several times
    #[arg(long = "break", value_name = "NAME")]
    breakages: Vec<Breakage>,

    /// Fills the database to `--megabytes` and ends
    #[arg(long, requires = "megabytes")]
    seed_only: bool,

    /// The size to which the database is filled
    #[arg(long, value_name = "N", requires = "seed_only")]
    megabytes: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.megabytes {
        Some(megabytes) => fill(&arguments.directory, megabytes),
        None => serve(arguments).await,
    }
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    // Before the line that says it is ready, so that a signal that follows the line is heard.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let clinic = clinic::start(Options {
        directory: arguments.directory,
        listen: arguments.listen,
        writes_per_second: arguments.writes_per_second,
        breakages: arguments.breakages,
        seed: rand::random(),
    })
    .await?;
    println!("listening on http://{}", clinic.address());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(clinic.stop().await?)
}

fn fill(directory: &Path, megabytes: u64) -> anyhow::Result<()> {
    let bytes = megabytes
        .checked_mul(1_000_000)
        .with_context(|| format!("`{megabytes}` megabytes are too many"))?;
    let seeded = clinic::seed(directory, bytes, rand::random(), clock::now())?;
    println!(
        "{} entries added, the database has {} bytes",
        seeded.entries, seeded.database_bytes
    );
    Ok(())
}
