//! Reads a value that a command of the operator prints.

use super::outside::{Found, missing, unreadable};
use super::vault::Vault;
use crate::commands::{Launcher, run_for_host};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{InvalidSecret, SecretValue};
use zeroize::Zeroizing;

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
    // One newline at the end is not part of the value.
    let bytes_max = SecretValue::BYTES_MAX + 2;
    let means = (vault, launcher, &vault.clock);
    let output = run_for_host(means, resources, (name, command), Vec::new(), bytes_max).await;
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
