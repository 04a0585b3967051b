//! Commands that the operator wrote down: decided, filled in, recorded, and run without a shell.

mod driver;
mod environment;
mod execute;
mod family;
mod filling;
mod job;
mod launcher;
mod message;
mod output;
mod own;
mod piped;
mod process;
mod running;
mod supervisor;

pub(crate) use environment::environment;
pub(crate) use execute::execute;
pub(crate) use family::Family;
pub(crate) use job::Job;
pub(crate) use launcher::Launcher;
pub use launcher::SupervisorProgram;
pub(crate) use own::run_for_host;
pub(crate) use piped::{SinkCommand, SourceCommand};
pub use supervisor::supervise;

use crate::databases::Databases;
use crate::gate::{Gate, Proceed};
use crate::redaction::Mask;
use crate::secrets::Vault;
use crate::stop::Stop;
use async_trait::async_trait;
use filling::Filling;
use launcher::{Ends, Input, Outputs};
use output::Kept;
use process::BesidePlugin;
use running::Running;
use sopwith_core::command::{Command, Effects};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::Wanted;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, CommandOutput, Commands, Pairs, Process};
use std::ffi::OsString;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What is shown of the value of a blank in the record.
const SHOWN_BYTES_MAX: usize = 200;

/// `sopwith:plugin/commands`
pub(crate) struct HostCommands {
    gate: Arc<Gate>,
    databases: Arc<Databases>,
    launcher: Arc<Launcher>,
    family: Family,
    vault: Arc<Vault>,
}

/// A command that may be run.
pub(crate) struct Permitted {
    name: ResourceName,
    command: Command,
    arguments: Vec<OsString>,
    /// How operators see it: `commands.migrate (revision: ae10)`.
    pub(crate) object: String,
}

impl Permitted {
    /// Whether it changes something.
    pub(crate) fn changes(&self) -> bool {
        self.command.effects == Effects::Changes
    }

    /// A dry run does not run it.
    pub(crate) fn planned(&self) -> Failure {
        Failure::planned(format!("this dry run did not run the command `{}`", self.name))
    }
}

/// A command that is about to be started.
pub(crate) struct Ready {
    job: Job,
    stop: Stop,
    launcher: Arc<Launcher>,
    family: Family,
    /// What is a secret in what it prints.
    mask: Mask,
    output_bytes_max: usize,
    /// The runtime that it was made in.
    runtime: Handle,
}

impl Ready {
    fn name(&self) -> &str {
        &self.job.name
    }

    fn launch(self, input: Input, outputs: Outputs) -> Answer<(Running, Ends)> {
        self.launcher
            .launch(self.job, (input, outputs), self.stop, &self.family)
    }
}

impl HostCommands {
    pub(crate) fn new(
        gate: Arc<Gate>,
        databases: Arc<Databases>,
        launcher: Arc<Launcher>,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            gate,
            databases,
            launcher,
            family: Family::default(),
            vault,
        }
    }

    /// Fails unless this function of the contract may run a command with these values in its blanks.
    pub(crate) fn permit(&self, name: &str, given: &Pairs, call: &str) -> Answer<Permitted> {
        self.gate.allow(&Wanted::command(name), call)?;
        let unknown = || {
            let message = format!("there is no command `{name}`");
            Failure::new(FailureKind::NotFound, Blame::Operator, message)
        };
        let name: ResourceName = name.parse().map_err(|_| unknown())?;
        let commands = &self.gate.attempt().resources.commands;
        let command = commands.get(&name).ok_or_else(unknown)?;
        let filling = Filling {
            gate: &self.gate,
            databases: &self.databases,
            call,
        };
        let arguments = filling.fill(command, given);
        let resource = format!("commands.{name}");
        Ok(Permitted {
            arguments: arguments.map_err(|failure| failure.with("resource", &resource))?,
            object: object(&self.gate.mask(), &resource, given),
            command: command.clone(),
            name,
        })
    }

    /// What is to be started, with the values of the secrets in its environment.
    pub(crate) async fn ready(&self, permitted: &Permitted) -> Answer<Ready> {
        let Permitted {
            name,
            command,
            arguments,
            ..
        } = permitted;
        let environment = environment(&self.vault, name, command, &self.gate.attempt().resources);
        let environment = self.gate.bounded(environment).await?;
        Ok(Ready {
            job: Job::new(name.as_str(), command, arguments.clone(), environment),
            stop: self.gate.stop(),
            launcher: Arc::clone(&self.launcher),
            family: self.family.clone(),
            // Now that the secrets of its environment are known.
            mask: self.gate.record().redaction().mask(),
            output_bytes_max: self.output_bytes_max(),
            runtime: Handle::current(),
        })
    }

    /// Waits until all commands have ended; the attempt has.
    pub(crate) async fn settle(&self) {
        self.family.ended(self.gate.clock()).await;
    }

    /// Does something with a command, once its intent is on record; a dry run does not, if the
    /// command changes something.
    pub(crate) async fn recorded<T>(
        &self,
        permitted: &Permitted,
        call: &str,
        work: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        if !permitted.changes() {
            return work.await;
        }
        match self.gate.change(call, &permitted.object).await? {
            Proceed::Really => self.gate.changed(call, &permitted.object, work.await),
            Proceed::DryRun => Err(permitted.planned()),
        }
    }

    fn output_bytes_max(&self) -> usize {
        usize::try_from(self.gate.attempt().limits.command_output_bytes).unwrap_or(usize::MAX)
    }

    async fn run_ready(&self, ready: Ready, stdin: Vec<u8>) -> Answer<CommandOutput> {
        let Ready {
            job,
            stop,
            launcher,
            family,
            mask,
            output_bytes_max: bytes_max,
            ..
        } = ready;
        // What follows the last byte that is kept decides whether a secret begins before it.
        let read_max = bytes_max.saturating_add(mask.reach());
        let output = execute(&launcher, job, stdin, &stop, read_max, &family).await?;
        let most = output.stdout.len().max(output.stderr.len()).min(bytes_max);
        self.gate.meter().command_output_bytes.most(most as u64);
        let is_more = output.stdout.len() > bytes_max || output.stderr.len() > bytes_max;
        Ok(CommandOutput {
            truncated: output.truncated || is_more,
            stdout: mask.beginning(output.stdout, bytes_max),
            stderr: mask.beginning(output.stderr, bytes_max),
            ..output
        })
    }

    async fn start_ready(&self, ready: Ready) -> Answer<BesidePlugin> {
        let (stream, bytes_max) = (ready.mask.stream(), ready.output_bytes_max);
        let (running, ends) = ready.launch(Input::Empty, Outputs::Together)?;
        let kept = Kept::of(ends.stdout, bytes_max, Some(stream))?;
        let process = BesidePlugin::new(Arc::clone(&self.gate), running, kept);
        process.started().await?;
        Ok(process)
    }
}

/// How operators see a command: its name, and what was filled in.
fn object(mask: &Mask, resource: &str, given: &Pairs) -> String {
    let shown = |value| mask.start(value, SHOWN_BYTES_MAX);
    let filled = given
        .iter()
        .map(|(name, value)| format!("{name}: {}", shown(value)));
    let filled: Vec<_> = filled.collect();
    if filled.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource} ({})", filled.join(", "))
    }
}

#[async_trait]
impl Commands for HostCommands {
    async fn run(&self, command: &str, arguments: Pairs, stdin: Vec<u8>) -> Answer<CommandOutput> {
        const CALL: &str = "commands.run";
        let permitted = self.permit(command, &arguments, CALL)?;
        let run = async { self.run_ready(self.ready(&permitted).await?, stdin).await };
        self.recorded(&permitted, CALL, run).await
    }

    async fn start(&self, command: &str, arguments: Pairs) -> Answer<Box<dyn Process>> {
        const CALL: &str = "commands.start";
        let permitted = self.permit(command, &arguments, CALL)?;
        let start = async { self.start_ready(self.ready(&permitted).await?).await };
        let started = self.recorded(&permitted, CALL, start).await?;
        Ok(Box::new(started))
    }
}
