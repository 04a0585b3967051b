//! Validates `[grants]`: every resource that is named is one of `sopwith.toml`.

use super::Reading;
use crate::diagnostic::Severity;
use crate::document::{Location, Part};
use crate::host::command_within;
use crate::raw::{self, DatabaseAccess, DirectoryAccess};
use crate::shape::nearest;
use sopwith_core::grant::{Access, DatabaseGrant, Grants, ResourceKind, nameless, naming};
use sopwith_core::name::ResourceName;
use std::collections::BTreeSet;

impl Reading<'_> {
    pub(super) fn grants(&mut self, written: &raw::Grants, place: &Location) -> Grants {
        let mut grants = Grants::default();
        for (name, grant) in written.databases.iter().flatten() {
            let here = place.join("databases").join(name);
            let grant = self.database_grant(grant, name, &here);
            let name = self.resource(ResourceKind::Databases, name, &here, Part::Key);
            grants.databases.extend(name.zip(grant));
        }
        for (name, access) in written.directories.iter().flatten() {
            let here = place.join("directories").join(name);
            let access = match access {
                DirectoryAccess::Read => Access::Read,
                DirectoryAccess::Write => Access::Write,
            };
            if access == Access::Write {
                self.check_commands_within(name, &here);
            }
            let name = self.resource(ResourceKind::Directories, name, &here, Part::Key);
            grants.directories.extend(name.map(|name| (name, access)));
        }
        let list = |key: &str| place.join(key);
        let (network, commands) = (list("network"), list("commands"));
        let (secrets, secret_reveal) = (list("secrets"), list("secret_reveal"));
        grants.network = self.names(ResourceKind::Network, written.network.as_ref(), &network);
        grants.procedures = self.names(
            ResourceKind::Procedures,
            written.procedures.as_ref(),
            &list("procedures"),
        );
        grants.commands = self.names(ResourceKind::Commands, written.commands.as_ref(), &commands);
        grants.secrets = self.names(ResourceKind::Secrets, written.secrets.as_ref(), &secrets);
        grants.secret_reveal = self.names(
            ResourceKind::Secrets,
            written.secret_reveal.as_ref(),
            &secret_reveal,
        );
        grants
    }

    /// Refuses to let a procedure write where a command lies: it could run whatever it likes.
    fn check_commands_within(&mut self, directory: &str, place: &Location) {
        if let Some((command, what)) = command_within(self.host, directory) {
            let message = format!(
                "{what} of the command `{command}` lies within the directory `{directory}`: a procedure that writes there could exchange it"
            );
            let hint = format!("grant to read it:  {directory} = \"read\"  or keep the command elsewhere");
            self.diagnostics
                .push(self.document.error(place, message).hint(hint));
        }
    }

    /// The names of a list that exist; those that do not are told.
    fn names(
        &mut self,
        kind: ResourceKind,
        written: Option<&BTreeSet<String>>,
        list: &Location,
    ) -> BTreeSet<ResourceName> {
        let mut names = BTreeSet::new();
        // The set is sorted; the places are those of the file.
        let order = self.document.value.pointer(list.as_str());
        let order = order.and_then(|list| list.as_array()).into_iter().flatten();
        for (index, name) in order.enumerate() {
            let known = name
                .as_str()
                .filter(|name| written.into_iter().flatten().any(|one| one == name));
            if let Some(name) = known {
                names.extend(self.resource(kind, name, &list.join(index), Part::Value));
            }
        }
        names
    }

    fn database_grant(
        &mut self,
        written: &raw::DatabaseGrant,
        name: &str,
        place: &Location,
    ) -> Option<DatabaseGrant> {
        let (access, write_tables) = match written {
            raw::DatabaseGrant::Access(access) => (*access, BTreeSet::new()),
            raw::DatabaseGrant::Bounded(bounded) => {
                (bounded.access?, bounded.write_tables.clone().unwrap_or_default())
            }
        };
        let (writes, bounded) = (access == DatabaseAccess::Write, !write_tables.is_empty());
        if writes != bounded {
            let message = if writes {
                "`write` has to say which tables may be written"
            } else {
                "`write_tables` belongs to the access `write` alone"
            };
            let hint =
                format!("write it like:  {name} = {{ access = \"write\", write_tables = [\"notes\"] }}");
            self.diagnostics
                .push(self.document.error(place, message).hint(hint));
        }
        let access = match access {
            DatabaseAccess::Read => Access::Read,
            DatabaseAccess::Write => Access::Write,
            DatabaseAccess::Replace => Access::Replace,
        };
        Some(DatabaseGrant::new(&access, write_tables))
    }

    /// The name of a resource that exists; that it does not is told.
    pub(super) fn resource(
        &mut self,
        kind: ResourceKind,
        name: &str,
        place: &Location,
        part: Part,
    ) -> Option<ResourceName> {
        let named = &self.host.named;
        let known = match kind {
            ResourceKind::Databases => &named.databases,
            ResourceKind::Directories => &named.directories,
            ResourceKind::Network => &named.network,
            ResourceKind::Commands => &named.commands,
            ResourceKind::Secrets => &named.secrets,
            ResourceKind::Procedures => &named.procedures,
        };
        let incomplete = named.incomplete && kind != ResourceKind::Procedures;
        if incomplete || known.contains(name) {
            return name.parse().ok();
        }
        let near = nearest::meant(name, known.iter().map(String::as_str));
        let error = self
            .document
            .diagnostic(Severity::Error, place, part, nameless(kind, name));
        self.diagnostics
            .push(error.hint(near.unwrap_or_else(|| naming(kind, name))));
        None
    }
}
