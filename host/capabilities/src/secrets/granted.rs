//! `sopwith:plugin/secrets`, and what an attempt works with secrets through.

use super::vault::Vault;
use crate::gate::Gate;
use crate::pretended::Pretended;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sopwith_core::audit::AuditRecord;
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Access, Wanted};
use sopwith_core::name::ResourceName;
use sopwith_core::port::Store;
use sopwith_core::port::capabilities::{Answer, Secrets};
use sopwith_core::secret::SecretVersion;
use std::sync::Arc;

/// The secrets that one attempt may work with.
pub(crate) struct GrantedSecrets {
    pub(super) gate: Arc<Gate>,
    pub(super) vault: Arc<Vault>,
    pub(super) store: Arc<dyn Store>,
    pub(super) pretended: Arc<Pretended>,
}

impl GrantedSecrets {
    pub(crate) fn new(
        gate: Arc<Gate>,
        vault: Arc<Vault>,
        store: Arc<dyn Store>,
        pretended: Arc<Pretended>,
    ) -> Self {
        Self {
            gate,
            vault,
            store,
            pretended,
        }
    }

    pub(super) fn allow(&self, secret: &str, access: Access, call: &str) -> Answer<ResourceName> {
        self.gate.allow(&Wanted::secret(secret, access), call)?;
        secret
            .parse()
            .map_err(|error| Failure::invalid(format!("{error}")))
    }

    /// What this attempt did with a version, for the audit log.
    pub(super) fn audit(
        &self,
        action: &str,
        secret: &ResourceName,
        version: &str,
        at: Timestamp,
    ) -> AuditRecord {
        let queued = &self.gate.attempt().run.queued;
        AuditRecord {
            at,
            actor: queued.actor.clone(),
            action: action.to_owned(),
            object: format!("secret:{secret}"),
            revision: Some(queued.revision),
            payload: json!({
                "procedure": queued.procedure,
                "action": queued.action,
                "run": queued.id,
                "version": version,
                "dry_run": queued.dry_run,
            }),
        }
    }
}

#[async_trait]
impl Secrets for GrantedSecrets {
    async fn versions(&self, secret: &str) -> Answer<Vec<SecretVersion>> {
        let name = self.allow(secret, Access::Use, "secrets.versions")?;
        let resources = &self.gate.attempt().resources;
        self.gate.bounded(self.vault.versions(resources, &name)).await
    }
}
