//! The commands, one file each.

mod approve;
mod attest;
pub(crate) mod audit;
mod cancel;
mod check;
mod completions;
mod doctor;
mod findings;
mod grants;
mod init;
mod logs;
mod pause;
mod plugins;
mod reject;
mod retry;
mod run;
mod runs;
mod schedule;
mod schema;
mod secrets;
mod serve;
mod show;
mod status;
mod trigger;
mod why;

use crate::exit::Exit;
use crate::logging::LogFormat;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Carries out standard operating procedures through sandboxed plugins.
#[derive(Debug, Parser)]
#[command(name = "sopwith", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// The heading of the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The folder of `sopwith.toml` [default: ./config, then /etc/sopwith]
    #[arg(long, global = true, value_name = "DIR", env = "SOPWITH_CONFIG", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// How lines of the log look
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", help_heading = EVERYWHERE)]
    log_format: LogFormat,
}

impl Common {
    /// The folder that was named on the command line or in the environment.
    pub(crate) fn named_folder(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The folder of the configuration.
    pub(crate) fn folder(&self) -> PathBuf {
        if let Some(folder) = &self.config {
            return folder.clone();
        }
        let local = Path::new("config");
        let system = Path::new("/etc/sopwith");
        let has_file = |folder: &Path| folder.join("sopwith.toml").exists();
        if !has_file(local) && has_file(system) {
            system.to_owned()
        } else {
            local.to_owned()
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration for what lies in this directory
    Init(init::Arguments),
    /// Check the configuration, and say what plugins want and will not get
    Check(check::Arguments),
    /// Run a procedure now, and wait for its end
    Run(run::Arguments),
    /// Run procedures on their schedules until told to stop
    Serve(serve::Arguments),
    /// Show what is in force, what runs and what comes next
    Status,
    /// List runs, newest first
    Runs(runs::Arguments),
    /// Show everything about a run
    Show(show::Arguments),
    /// Print what a run logged
    Logs(logs::Arguments),
    /// Ask a run to end
    Cancel(cancel::Arguments),
    /// Do again what a run did that has ended
    Retry(retry::Arguments),
    /// Let a run go on that asks for it
    Approve(approve::Arguments),
    /// Do not let a run go on that asks for it
    Reject(reject::Arguments),
    /// Say under your name that a manual step was done, or what was seen
    Attest(attest::Arguments),
    /// Tell of an event, on which schedules start
    Trigger(trigger::Arguments),
    /// Skip the ticks of a procedure until it is resumed, or freeze the host
    Pause(pause::Arguments),
    /// Let what was paused run again
    Resume(pause::ResumeArguments),
    /// List plugins, or show one
    Plugins(plugins::Arguments),
    /// Show the coming instants of schedules
    Schedule(schedule::Arguments),
    /// Say why ticks ran, were skipped or were missed
    Why(why::Arguments),
    /// List what checks have found that was not mended since
    Findings(findings::Arguments),
    /// Show which grants were used, and what was denied
    Grants(grants::Arguments),
    /// List secrets, set those that are sealed, and make the key that seals them
    Secrets(secrets::Arguments),
    /// List, show, verify, export, redact and anchor the audit log
    Audit(audit::Arguments),
    /// Look for trouble in the host's surroundings
    Doctor,
    /// Print the JSON Schema of a file, for editors
    Schema(schema::Arguments),
    /// Print completions for a shell
    Completions(completions::Arguments),
}

impl Arguments {
    pub(crate) fn log_format(&self) -> LogFormat {
        self.common.log_format
    }

    pub(crate) fn is_service(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }

    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let common = self.common;
        match self.command {
            Command::Init(arguments) => init::run(&arguments, &common),
            Command::Check(arguments) => check::run(&arguments, &common).await,
            Command::Run(arguments) => run::run(arguments, &common).await,
            Command::Serve(arguments) => serve::run(&arguments, &common).await,
            Command::Status => status::run(&common).await,
            Command::Runs(arguments) => runs::run(arguments, &common).await,
            Command::Show(arguments) => show::run(&arguments, &common).await,
            Command::Logs(arguments) => logs::run(&arguments, &common).await,
            Command::Cancel(arguments) => cancel::run(&arguments, &common).await,
            Command::Retry(arguments) => retry::run(arguments, &common).await,
            Command::Approve(arguments) => approve::run(arguments, &common).await,
            Command::Reject(arguments) => reject::run(arguments, &common).await,
            Command::Attest(arguments) => attest::run(arguments, &common).await,
            Command::Trigger(arguments) => trigger::run(arguments, &common).await,
            Command::Pause(arguments) => pause::run(arguments, &common).await,
            Command::Resume(arguments) => pause::resume(arguments, &common).await,
            Command::Plugins(arguments) => plugins::run(&arguments, &common).await,
            Command::Schedule(arguments) => schedule::run(&arguments, &common).await,
            Command::Why(arguments) => why::run(arguments, &common).await,
            Command::Findings(arguments) => findings::run(arguments, &common).await,
            Command::Grants(arguments) => grants::run(arguments, &common).await,
            Command::Secrets(arguments) => secrets::run(arguments, &common).await,
            Command::Audit(arguments) => audit::run(arguments, &common).await,
            Command::Doctor => doctor::run(&common).await,
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Completions(arguments) => Ok(completions::run(&arguments)),
        }
    }
}
