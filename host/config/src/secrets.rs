//! Warns of secrets that nothing uses, of those that procedures need and that have no value, and of those that
//! procedures could read past their grants.

use crate::diagnostic::Diagnostic;
use crate::document::at;
use crate::host::Host;
use crate::path::real;
use crate::procedure::Definition;
use crate::shape::nearest;
use sopwith_core::grant::Grants;
use sopwith_core::name::{ProcedureName, ResourceName};
use sopwith_core::secret::SecretStore;
use sopwith_core::template::Template;
use std::collections::BTreeSet;
use std::path::Path;

/// What somebody should know of secrets, with a view to what procedures are granted.
pub(crate) fn warn(host: &Host, definitions: &[Definition], all_are_known: bool) -> Vec<Diagnostic> {
    let mut warnings = readable(host, definitions);
    warnings.extend(
        definitions
            .iter()
            .flat_map(|definition| missing(host, definition)),
    );
    // Where something is wrong with a file nobody knows what it would have used.
    if all_are_known && host.sound && definitions.iter().all(|definition| definition.sound) {
        warnings.extend(unused(host, definitions));
    }
    warnings
}

fn unused(host: &Host, definitions: &[Definition]) -> Vec<Diagnostic> {
    let mut used: BTreeSet<&ResourceName> = BTreeSet::new();
    for grants in definitions.iter().flat_map(grants_of) {
        used.extend(grants.secrets.iter().chain(&grants.secret_reveal));
    }
    let commands = host.resources.commands.values();
    let templates = commands.flat_map(|command| command.environment.values());
    used.extend(
        templates
            .flat_map(Template::secrets)
            .map(|reference| &reference.name),
    );
    let unused = host.resources.secrets.keys().filter(|name| !used.contains(name));
    let warnings = unused.map(|name| {
        let message = format!("nothing uses the secret `{name}`");
        let hint = format!("grant it to a procedure:  secrets = [\"{name}\"]  or take it out");
        let place = at(["secrets", name.as_str()]);
        host.document.warning(&place, message).hint(hint)
    });
    warnings.collect()
}

/// What a procedure is granted that has no value: the runs that use it will fail.
fn missing<'a>(host: &'a Host, definition: &'a Definition) -> impl Iterator<Item = Diagnostic> + 'a {
    let granted = |name: &ResourceName| {
        grants_of(definition)
            .any(|grants| grants.secrets.contains(name) || grants.secret_reveal.contains(name))
    };
    let missing = host.without_value.iter().filter(move |(name, _)| granted(name));
    missing.map(|(name, why)| {
        let (procedure, plugin) = (&definition.name, &definition.plugin);
        let message =
            format!("the procedure `{procedure}` (plugin `{plugin}`) is granted the secret `{name}`, which has no value: {why}");
        let hint = format!("give it one as [secrets.{name}] of sopwith.toml says");
        definition.document.warning(&at(["grants"]), message).hint(hint)
    })
}

/// Secrets in directories that procedures may read: who is granted those needs no other grant.
fn readable(host: &Host, definitions: &[Definition]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (name, secret) in &host.resources.secrets {
        let (SecretStore::File { path } | SecretStore::EnvFile { path, .. }) = &secret.store else {
            continue;
        };
        for (directory, around) in &host.resources.directories {
            let readers = readers(directory, definitions);
            if readers.is_empty() || !lies_within(path, &around.path) {
                continue;
            }
            let quoted = nearest::list(&readers.iter().map(ProcedureName::as_str).collect::<Vec<_>>());
            let message = format!(
                "the file of the secret `{name}` lies in the directory `{directory}`, where {quoted} could read it"
            );
            let warning = host
                .document
                .warning(&at(["secrets", name.as_str(), "path"]), message);
            warnings.push(warning.hint("keep it where no procedure is granted the directory"));
        }
    }
    warnings
}

fn readers(directory: &ResourceName, definitions: &[Definition]) -> Vec<ProcedureName> {
    let may_read = |definition: &&Definition| {
        grants_of(definition).any(|grants| grants.directories.contains_key(directory))
    };
    let readers = definitions.iter().filter(may_read);
    readers.map(|definition| definition.name.clone()).collect()
}

fn lies_within(path: &Path, directory: &Path) -> bool {
    path.starts_with(directory) || real(path).starts_with(real(directory))
}

fn grants_of(definition: &Definition) -> impl Iterator<Item = &Grants> {
    std::iter::once(&definition.grants).chain(definition.action_grants.values())
}
