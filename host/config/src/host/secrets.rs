//! Validates `[secrets.NAME]`: where values are kept, and where they may go.

use super::{Named, Reading};
use crate::diagnostic::Severity;
use crate::document::{Location, Part, at};
use crate::path;
use crate::raw;
use crate::shape::nearest;
use sopwith_core::command::Effects;
use sopwith_core::grant::{ResourceKind, naming};
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{Secret, SecretStore, SecretUse};
use std::collections::{BTreeMap, BTreeSet};

/// Every key that belongs to some stores alone.
const KEYS_OF_STORES: [&str; 4] = ["path", "variable", "credential", "command"];

impl Reading<'_> {
    pub(super) fn secrets(
        &mut self,
        table: Option<&BTreeMap<String, raw::Secret>>,
    ) -> BTreeMap<ResourceName, Secret> {
        let named = Named::of(self.document);
        self.each("secrets", table, |reading, place, secret| {
            let uses = reading.uses(&place.join("use"), secret.uses.as_deref(), &named);
            let name = place.as_str().rsplit('/').next().unwrap_or_default();
            let store = reading.store(place, name, secret, &named)?;
            Some(Secret { store, uses })
        })
    }

    fn store(
        &mut self,
        place: &Location,
        name: &str,
        written: &raw::Secret,
        named: &Named,
    ) -> Option<SecretStore> {
        let kind = written.store?;
        self.keys_of_others(place, kind);
        let variable = || written.variable.clone().unwrap_or_else(|| name.to_owned());
        let store = match kind {
            raw::SecretStore::Environment => SecretStore::Environment { variable: variable() },
            raw::SecretStore::EnvFile => SecretStore::EnvFile {
                path: self.file(place, kind, written)?,
                variable: variable(),
            },
            raw::SecretStore::File => SecretStore::File {
                path: self.file(place, kind, written)?,
            },
            raw::SecretStore::Credential => SecretStore::Credential {
                name: written.credential.clone().unwrap_or_else(|| name.to_owned()),
            },
            raw::SecretStore::Command => SecretStore::Command {
                command: self.command(place, written, named)?,
            },
            raw::SecretStore::Sealed => SecretStore::Sealed,
        };
        self.names_of_others(place, &store).then_some(store)
    }

    /// Tells of keys that belong to another store: a value is not where they say.
    fn keys_of_others(&mut self, place: &Location, kind: raw::SecretStore) {
        let written = self.document.value.pointer(place.as_str());
        for key in KEYS_OF_STORES {
            let is_written = written.is_some_and(|secret| secret.get(key).is_some());
            if !is_written || kind.keys().contains(&key) {
                continue;
            }
            let message = format!("`{key}` does not belong to the store `{}`", kind.as_str());
            let hint = match kind.keys() {
                [] => "it takes nothing but `use`".to_owned(),
                keys => format!("it takes {}", nearest::list(keys)),
            };
            let error = self
                .document
                .diagnostic(Severity::Error, &place.join(key), Part::Key, message);
            self.push(error.hint(hint));
        }
    }

    fn file(
        &mut self,
        place: &Location,
        kind: raw::SecretStore,
        written: &raw::Secret,
    ) -> Option<std::path::PathBuf> {
        if let Some(path) = &written.path {
            return Some(path::from(self.folder, path));
        }
        let example = match kind {
            raw::SecretStore::EnvFile => "/srv/clinic/.env",
            _ => "/etc/sopwith/token",
        };
        self.missing(place, "path", kind, example);
        None
    }

    fn command(&mut self, place: &Location, written: &raw::Secret, named: &Named) -> Option<ResourceName> {
        let Some(command) = &written.command else {
            self.missing(place, "command", raw::SecretStore::Command, "tell-token");
            return None;
        };
        if named.commands.contains(command) || !self.document.is_whole() {
            return command.parse().ok();
        }
        let near = nearest::meant(command, named.commands.iter().map(String::as_str));
        let hint = near.unwrap_or_else(|| naming(ResourceKind::Commands, command));
        let message = format!("sopwith.toml has no [commands.{command}]");
        self.error(&place.join("command"), message, &hint);
        None
    }

    fn missing(&mut self, place: &Location, key: &str, kind: raw::SecretStore, example: &str) {
        // Where it has the wrong shape it is not missing.
        let written = self.document.value.pointer(place.join(key).as_str());
        if written.is_none() {
            let message = format!("missing key `{key}`: the store `{}` needs it", kind.as_str());
            self.error(place, message, &format!("write it like:  {key} = \"{example}\""));
        }
    }

    /// Names that the operating system has its own rules for.
    fn names_of_others(&mut self, place: &Location, store: &SecretStore) -> bool {
        let (key, name, fits) = match store {
            SecretStore::Environment { variable } | SecretStore::EnvFile { variable, .. } => {
                let fits = !variable.is_empty() && !variable.contains(['=', '\0', '\n']);
                ("variable", variable, fits)
            }
            SecretStore::Credential { name } => {
                let plain = |letter: char| letter.is_ascii_graphic() && !"/:".contains(letter);
                let fits =
                    !name.is_empty() && name.chars().all(plain) && !matches!(name.as_str(), "." | "..");
                ("credential", name, fits)
            }
            SecretStore::File { .. } | SecretStore::Command { .. } | SecretStore::Sealed => return true,
        };
        if !fits {
            let what = match key {
                "variable" => "the name of a variable",
                _ => "the name of a credential",
            };
            let message = format!("`{}` is not {what}", name.escape_default());
            self.error(
                &place.join(key),
                message,
                &format!("write it like:  {key} = \"API_TOKEN\""),
            );
        }
        fits
    }

    fn uses(&mut self, list: &Location, written: Option<&[String]>, named: &Named) -> BTreeSet<SecretUse> {
        let mut uses = BTreeSet::new();
        for (index, text) in written.into_iter().flatten().enumerate() {
            let place = list.join(index);
            let is_named = |place: &SecretUse| match place {
                SecretUse::Network(name) => named.network.contains(name.as_str()),
                SecretUse::Command(name) => named.commands.contains(name.as_str()),
            };
            match text.parse::<SecretUse>() {
                Ok(target) if is_named(&target) || !self.document.is_whole() => {
                    uses.insert(target);
                }
                Ok(target) => {
                    let naming = match &target {
                        SecretUse::Network(name) => naming(ResourceKind::Network, name.as_str()),
                        SecretUse::Command(name) => naming(ResourceKind::Commands, name.as_str()),
                    };
                    let hint = nearest_place(text, named).unwrap_or(naming);
                    self.error(&place, format!("sopwith.toml has no [{target}]"), &hint);
                }
                Err(error) => {
                    let error = self.document.error(&place, error.to_string());
                    self.push(error.hint_if(nearest_place(text, named)));
                }
            }
        }
        uses
    }

    /// A command that tells a secret is run without anybody who could fill in a blank, and in dry
    /// runs as well.
    pub(super) fn commands_of_secrets(&mut self, resources: &Resources) {
        for (name, secret) in &resources.secrets {
            let SecretStore::Command { command: named } = &secret.store else {
                continue;
            };
            let Some(command) = resources.commands.get(named) else {
                continue;
            };
            let place = at(["secrets", name.as_str(), "command"]);
            if let Some(blank) = command.blanks.keys().next() {
                let message =
                    format!("the command `{named}` has the blank `{blank}`, and nobody fills it in");
                let hint = "name a command without blanks; one more for this secret alone is no harm";
                self.error(&place, message, hint);
            }
            if command.effects == Effects::Changes {
                let message =
                    format!("the command `{named}` changes something, and dry runs read secrets, too");
                let hint = format!(
                    "if it only tells the secret, write under [commands.{named}]:  effects = \"none\""
                );
                self.error(&place, message, &hint);
            }
        }
    }
}

fn nearest_place(text: &str, named: &Named) -> Option<String> {
    let network = named.network.iter().map(|name| format!("network.{name}"));
    let commands = named.commands.iter().map(|name| format!("commands.{name}"));
    let places: Vec<String> = network.chain(commands).collect();
    nearest::meant(text, places.iter().map(String::as_str))
}
