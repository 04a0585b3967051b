//! Runs a command that the operator wrote down for the host itself: no plugin has a say in it.

use super::{Family, Job, Launcher, environment, execute};
use crate::secrets::Vault;
use crate::stop::Stop;
use sopwith_core::command::{Argument, ArgumentPart, Command};
use sopwith_core::name::ResourceName;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::{Answer, CommandOutput};
use sopwith_core::resource::Resources;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a command may take that has no time of its own.
const TIMEOUT: Duration = Duration::from_secs(30);
/// By this time more the command itself is ended by its own time.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a command without blanks to its end; of each output so many bytes are kept, and nothing is masked.
pub(crate) async fn run_for_host(
    (vault, launcher, clock): (&Vault, &Launcher, &Arc<dyn Clock>),
    resources: &Resources,
    (name, command): (&ResourceName, &Command),
    stdin: Vec<u8>,
    bytes_max: usize,
) -> Answer<CommandOutput> {
    let timeout = command.timeout.unwrap_or(TIMEOUT);
    let mut command = command.clone();
    command.timeout = Some(timeout);
    let variables = environment(vault, name, &command, resources).await?;
    let arguments = command.arguments.iter().map(without_blanks);
    let job = Job::new(name.as_str(), &command, arguments.collect(), variables);
    let deadline = clock.monotonic() + timeout + GRACE;
    let stop = Stop::new(CancellationToken::new(), deadline, Arc::clone(clock));
    let family = Family::default();
    let output = execute(launcher, job, stdin, &stop, bytes_max, &family).await;
    family.ended(&**clock).await;
    output
}

/// The configuration refuses a command with blanks here, since nobody could fill them in.
fn without_blanks(argument: &Argument) -> OsString {
    let texts = argument.parts.iter().filter_map(|part| match part {
        ArgumentPart::Text(text) => Some(text.as_str()),
        ArgumentPart::Blank(_) => None,
    });
    texts.collect::<String>().into()
}
