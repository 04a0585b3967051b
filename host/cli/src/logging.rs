//! The host's own log, on standard error.

use crate::secrecy::Masked;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a command logs: how its own run ended stands in what it prints.
const OF_A_COMMAND: &str = "warn,sopwith_engine::ended=off";

/// Starts the log: from `info` on in a service, from `warn` on in a command; `SOPWITH_LOG` says
/// otherwise (`debug`, `sopwith_engine=trace`).
pub(crate) fn start(format: LogFormat, service: bool) {
    let default = if service { "info" } else { OF_A_COMMAND };
    let filter = EnvFilter::try_from_env("SOPWITH_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masked(std::io::stderr()))
        .with_target(false)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
