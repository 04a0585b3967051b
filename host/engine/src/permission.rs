//! Who may ask what: the one place where roles are looked at.

use crate::desk::Desk;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::role::Role;

impl Desk {
    /// Fails unless whoever asks may do what this role may.
    pub(crate) fn require(&self, wanted: Role) -> Result<(), Failure> {
        let generation = self.engine.generation();
        if generation.host.roles.allow(&self.actor, &self.groups, wanted) {
            return Ok(());
        }
        let actor = &self.actor;
        tracing::warn!(%actor, role = %wanted, "somebody was refused what needs a role");
        let message = format!("{actor} may not do this: it needs the role `{wanted}`");
        Err(
            Failure::new(FailureKind::Denied, Blame::Operator, message).hint(format!(
                "whoever looks after sopwith.toml adds:  [roles] {wanted} = [\"{actor}\"]"
            )),
        )
    }
}
