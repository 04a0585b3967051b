//! Validates `[roles]`: who may do what.

use super::Reading;
use crate::document::at;
use crate::raw::HostFile;
use sopwith_core::role::{Principal, Role, Roles};
use std::collections::{BTreeMap, BTreeSet};

impl Reading<'_> {
    /// Who has which role. Something wrong in it takes no role from anybody else.
    pub(super) fn roles(&mut self, file: &HostFile) -> Roles {
        let Some(written) = &file.roles else {
            return Roles::default();
        };
        let mut roles: BTreeMap<Role, BTreeSet<Principal>> = BTreeMap::new();
        for (role, names) in written.lists() {
            for (index, name) in names.iter().enumerate() {
                match name.parse() {
                    Ok(principal) => {
                        roles.entry(role).or_default().insert(principal);
                    }
                    Err(_) => self.nobody(role, index),
                }
            }
        }
        if !roles.contains_key(&Role::Admin) {
            let warning = self.document.warning(&at(["roles"]), "nobody is an admin");
            self.push(warning.hint("somebody has to be able to set secrets:  admin = [\"user:root\"]"));
        }
        Roles(Some(roles))
    }

    fn nobody(&mut self, role: Role, index: usize) {
        let place = at(["roles", role.as_str()]).join(index);
        let message = format!("`{}` names nobody", self.document.written(&place));
        let hint = "write the user or the group of the operating system:  \"user:anna\" or \"group:ops\"";
        self.error(&place, message, hint);
    }
}
