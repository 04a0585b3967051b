//! Validates `[gates]`: who may answer what a run asks.

use super::Reading;
use crate::document::{Location, at};
use crate::quantity;
use crate::raw::{self, ProcedureFile};
use jiff::SignedDuration;
use sopwith_core::approval::{EXPIRES_AFTER, Gate};
use sopwith_core::name::GateName;
use sopwith_core::role::{Principal, Role};
use std::collections::BTreeMap;

impl Reading<'_> {
    pub(super) fn gates(&mut self, file: &ProcedureFile) -> BTreeMap<GateName, Gate> {
        let mut gates = BTreeMap::new();
        for (name, written) in file.gates.iter().flatten() {
            let place = at(["gates", name]);
            let gate = self.gate(written, &place);
            match name.parse::<GateName>() {
                Ok(name) => {
                    gates.insert(name, gate);
                }
                Err(error) => {
                    let error = self.document.error(&place, error.to_string());
                    self.diagnostics.push(error);
                }
            }
        }
        gates
    }

    fn gate(&mut self, written: &raw::Gate, place: &Location) -> Gate {
        let gate = Gate {
            role: written.role.unwrap_or(Role::Approver),
            count: written.count.unwrap_or(1),
            expires: self.expires(written.expires.as_deref(), place),
        };
        if let Some(people) = self
            .people(gate.role)
            .filter(|people| *people < gate.count as usize)
        {
            let (role, count) = (gate.role, gate.count);
            let message =
                format!("nobody can open this gate: {people} have the role `{role}`, and it takes {count}");
            let warning = self.document.warning(place, message);
            self.diagnostics.push(warning.hint(format!(
                "name more of them under [roles] of sopwith.toml:  {role} = [\"user:…\"]"
            )));
        }
        gate
    }

    /// How many people have a role; none where that cannot be told from the file.
    fn people(&self, wanted: Role) -> Option<usize> {
        let roles = self.host.settings.roles.0.as_ref()?;
        let having = roles.iter().filter(|(role, _)| role.includes(wanted));
        let principals: std::collections::BTreeSet<_> =
            having.flat_map(|(_, principals)| principals).collect();
        let all_users = principals.iter().all(|one| matches!(one, Principal::User(_)));
        all_users.then_some(principals.len())
    }

    fn expires(&mut self, written: Option<&str>, place: &Location) -> SignedDuration {
        let Some(text) = written else { return EXPIRES_AFTER };
        match quantity::time(text).map(SignedDuration::try_from) {
            Ok(Ok(time)) if time > SignedDuration::ZERO => time,
            _ => {
                let message = format!("`{text}` is not a time with its unit");
                let error = self.document.error(&place.join("expires"), message);
                self.diagnostics
                    .push(error.hint("write it like:  expires = \"24h\""));
                EXPIRES_AFTER
            }
        }
    }
}
