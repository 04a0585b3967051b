//! `sopwith:plugin/secret-reveal`

use super::granted::GrantedSecrets;
use super::vault::{Gift, NamedBy};
use crate::gate::Proceed;
use async_trait::async_trait;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, SecretReveal};
use sopwith_core::secret::{SecretValue, Stage, VersionOrigin};
use sopwith_core::template::SecretReference;

/// The id that a dry run gives to a version that it does not make.
const PLANNED: &str = "planned";

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
        let named_by = NamedBy::Run(self.gate.record().redaction());
        let value = self.vault.value(resources, &reference, named_by);
        let value = self.gate.bounded(value).await?;
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
        self.gate.record().redaction().add_secret(value.expose());
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
