//! `sopwith:plugin/secrets` and `sopwith:plugin/secret-reveal`

use super::vault::{Gift, Vault};
use crate::gate::{Gate, Proceed};
use crate::pretended::Pretended;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sopwith_core::audit::AuditRecord;
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Access, Wanted};
use sopwith_core::name::ResourceName;
use sopwith_core::port::Store;
use sopwith_core::port::capabilities::{Answer, SecretReveal, Secrets};
use sopwith_core::secret::{SecretValue, SecretVersion, Stage, VersionOrigin};
use sopwith_core::template::SecretReference;
use std::sync::Arc;

/// The id that a dry run gives to a version that it does not make.
const PLANNED: &str = "planned";

/// The secrets that one attempt may work with.
pub(crate) struct GrantedSecrets {
    gate: Arc<Gate>,
    vault: Arc<Vault>,
    store: Arc<dyn Store>,
    pretended: Arc<Pretended>,
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

    fn allow(&self, secret: &str, access: Access, call: &str) -> Answer<ResourceName> {
        self.gate.allow(&Wanted::secret(secret, access), call)?;
        secret
            .parse()
            .map_err(|error| Failure::invalid(format!("{error}")))
    }

    /// What this attempt did with a version, for the audit log.
    fn audit(&self, action: &str, secret: &ResourceName, version: &str, at: Timestamp) -> AuditRecord {
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

#[async_trait]
impl SecretReveal for GrantedSecrets {
    async fn reveal(&self, secret: &str, version: &str) -> Answer<SecretValue> {
        let name = self.allow(secret, Access::Reveal, "secret-reveal.reveal")?;
        self.pretended.check(&format!("secrets.{name}@{version}"))?;
        let reference = SecretReference {
            name: name.clone(),
            version: Some(version.to_owned()),
        };
        let resources = &self.gate.attempt().resources;
        let value = self.gate.bounded(self.vault.value(resources, &reference)).await?;
        // Nobody sees a value before it is on record that he does.
        let record = self.audit("secret.revealed", &name, version, self.gate.clock().now());
        self.store.audit(record).await?;
        Ok(value)
    }

    async fn put(&self, secret: &str, value: Vec<u8>) -> Answer<String> {
        const CALL: &str = "secret-reveal.put";
        let name = self.allow(secret, Access::Reveal, CALL)?;
        let value =
            SecretValue::new(value).map_err(|error| Failure::invalid(format!("the value: {error}")))?;
        self.vault.learn(&name, &value);
        let object = format!("secrets.{name}");
        if self.gate.change(CALL, &object).await? == Proceed::DryRun {
            self.pretended.add(&format!("{object}@{PLANNED}"));
            return Ok(PLANNED.to_owned());
        }
        let gift = Gift {
            secret: &name,
            value: &value,
            stage: Stage::Pending,
            origin: VersionOrigin::Procedure,
        };
        let kept = self
            .vault
            .keep(gift, |version| {
                self.audit("secret.put", &name, &version.id, version.created_at)
            })
            .await;
        let (version, _) = self.gate.changed(CALL, &object, kept)?;
        Ok(version.id)
    }
}
