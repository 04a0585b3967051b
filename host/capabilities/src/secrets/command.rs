//! Reads a value that a command of the operator prints.

use super::outside::{Found, missing, unreadable};
use super::vault::Vault;
use crate::commands::{Family, Job, Launcher, environment, execute};
use crate::stop::Stop;
use sopwith_core::command::{Argument, ArgumentPart};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{InvalidSecret, SecretValue};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How long a command may take that has no time of its own.
const TIMEOUT: Duration = Duration::from_secs(30);
/// By this time more the command itself is ended by its own time.
const GRACE: Duration = Duration::from_secs(5);

/// What the command prints, without one newline at the end.
pub(super) async fn read(
    vault: &Vault,
    launcher: &Launcher,
    resources: &Resources,
    secret: &ResourceName,
    name: &ResourceName,
) -> Answer<Found> {
    let Some(command) = resources.commands.get(name) else {
        return Err(missing(secret, &format!("there is no command `{name}`")));
    };
    let timeout = command.timeout.unwrap_or(TIMEOUT);
    let mut command = command.clone();
    command.timeout = Some(timeout);
    let variables = environment(vault, name, &command, resources).await?;
    let arguments = command.arguments.iter().map(without_blanks);
    let job = Job::new(name.as_str(), &command, arguments.collect(), variables);
    let clock = Arc::clone(&vault.clock);
    let deadline = clock.monotonic() + timeout + GRACE;
    let stop = Stop::new(CancellationToken::new(), deadline, clock);
    let family = Family::default();
    // One newline at the end is not part of the value.
    let bytes_max = SecretValue::BYTES_MAX + 2;
    let output = execute(launcher, job, Vec::new(), &stop, bytes_max, &family).await;
    family.ended(&*vault.clock).await;
    let output = output.map_err(|failure| {
        let why = failure.message.clone();
        unreadable(secret, &why).hint(
            failure
                .hint
                .unwrap_or_else(|| format!("look at [commands.{name}]")),
        )
    })?;
    let stdout = Zeroizing::new(output.stdout);
    if output.exit_code != 0 {
        // What it says of that may hold the value.
        let why = format!("the command `{name}` ended with {}", output.exit_code);
        return Err(unreadable(secret, &why).hint("run it by hand, as the user of the host, to see why"));
    }
    let value = if output.truncated {
        Err(InvalidSecret::TooLong)
    } else {
        SecretValue::of_text(stdout)
    };
    Ok(Found {
        value: value.map_err(|error| unreadable(secret, &format!("the command `{name}`: {error}")))?,
        since: None,
    })
}

/// The configuration refuses a command with blanks here, since nobody could fill them in.
fn without_blanks(argument: &Argument) -> OsString {
    let texts = argument.parts.iter().filter_map(|part| match part {
        ArgumentPart::Text(text) => Some(text.as_str()),
        ArgumentPart::Blank(_) => None,
    });
    texts.collect::<String>().into()
}
