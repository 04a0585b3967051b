//! What operators do with secrets: look at them, and set those that are sealed.

use super::vault::{Gift, TOO_SHORT, Vault, find};
use async_trait::async_trait;
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{SecretKeeper, SecretSet, SecretStatus};
use sopwith_core::resource::Resources;
use sopwith_core::secret::{SecretValue, Stage, VersionOrigin};

#[async_trait]
impl SecretKeeper for Vault {
    async fn look(&self, resources: &Resources) -> Vec<SecretStatus> {
        let mut all = Vec::new();
        for (name, secret) in &resources.secrets {
            let (value, versions) = self.stand(resources, name, secret).await;
            let problem = match (&value, &versions) {
                (Err(failure), _) | (Ok(_), Err(failure)) => Some(failure.clone()),
                (Ok(value), Ok(_)) => Self::is_too_short(value).then(|| {
                    let message = format!("the secret `{name}` is too short to be masked: {TOO_SHORT}");
                    Failure::new(FailureKind::Invalid, Blame::Operator, message)
                }),
            };
            all.push(SecretStatus {
                name: name.clone(),
                secret: secret.clone(),
                is_set: value.is_ok(),
                versions: versions.unwrap_or_default(),
                problem,
            });
        }
        all
    }

    async fn set(
        &self,
        resources: &Resources,
        name: &ResourceName,
        value: SecretValue,
        actor: &Actor,
    ) -> Answer<SecretSet> {
        let secret = find(resources, name)?;
        if let Some(how) = secret.store.changed_by() {
            let message = format!(
                "the secret `{name}` is kept in the store `{}`, and only `sealed` ones are set",
                secret.store.as_str()
            );
            return Err(Failure::new(FailureKind::Invalid, Blame::Operator, message).hint(how));
        }
        let gift = Gift {
            secret: name,
            value: &value,
            stage: Stage::Current,
            origin: VersionOrigin::Operator,
        };
        let (version, changed) = self
            .keep(gift, |version| AuditRecord {
                at: version.created_at,
                actor: actor.clone(),
                action: "secret.set".to_owned(),
                object: format!("secret:{name}"),
                revision: None,
                payload: json!({ "version": version.id }),
            })
            .await?;
        Ok(SecretSet { version, changed })
    }
}
