//! The environment of a command: what the operator wrote, and nothing else.

use crate::secrets::{NamedBy, Vault};
use sopwith_core::command::Command;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{SecretUse, SecretValue};
use sopwith_core::template::{Part, SecretReference};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// The variables of a command with the values of the secrets in them.
pub(crate) async fn environment(
    vault: &Vault,
    name: &ResourceName,
    command: &Command,
    resources: &Resources,
) -> Answer<Vec<(OsString, OsString)>> {
    let mut variables = Vec::new();
    for (variable, template) in &command.environment {
        let mut value = Vec::new();
        for part in template.parts() {
            match part {
                Part::Text(text) => value.extend_from_slice(text.as_bytes()),
                Part::Secret(reference) => {
                    let secret = value_for(vault, name, reference, resources).await?;
                    value.extend_from_slice(secret.expose());
                }
            }
        }
        variables.push((variable.into(), OsString::from_vec(value)));
    }
    Ok(variables)
}

/// The value of a secret, if the operator lets it go into this command.
async fn value_for(
    vault: &Vault,
    name: &ResourceName,
    reference: &SecretReference,
    resources: &Resources,
) -> Answer<SecretValue> {
    let secret = &reference.name;
    let may_go = resources
        .secrets
        .get(secret)
        .is_none_or(|secret| secret.uses.contains(&SecretUse::Command(name.clone())));
    let refused = |kind, message: String| Failure::new(kind, Blame::Operator, message);
    if !may_go {
        let message = format!("[secrets.{secret}] does not let it go into the command `{name}`");
        return Err(refused(FailureKind::Denied, message).hint(format!(
            "add under [secrets.{secret}] in sopwith.toml:  use = [\"commands.{name}\"]"
        )));
    }
    let value = vault.value(resources, reference, NamedBy::Operator).await?;
    if value.expose().contains(&0) {
        let message =
            format!("the secret `{secret}` has a zero byte, which no variable of the environment can");
        return Err(refused(FailureKind::Invalid, message));
    }
    Ok(value)
}
