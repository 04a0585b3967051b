//! What operators do with secrets.

use super::capabilities::Answer;
use crate::actor::Actor;
use crate::failure::Failure;
use crate::name::ResourceName;
use crate::resource::Resources;
use crate::secret::{Secret, SecretValue, SecretVersion};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How a secret stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretStatus {
    /// Its name.
    pub name: ResourceName,
    /// Where its value is kept, and where it may go.
    #[serde(flatten)]
    pub secret: Secret,
    /// Whether it has a value that can be read.
    pub is_set: bool,
    /// Its versions, the newest first.
    pub versions: Vec<SecretVersion>,
    /// What is wrong with it: why it has no value, no fingerprint, or none that can be masked.
    pub problem: Option<Failure>,
}

/// What became of a value that an operator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSet {
    /// The version that is current now.
    pub version: SecretVersion,
    /// Whether another one was before.
    pub changed: bool,
}

/// Looks after secrets for operators.
#[async_trait]
pub trait SecretKeeper: Send + Sync {
    /// How each secret stands.
    async fn look(&self, resources: &Resources) -> Vec<SecretStatus>;
    /// Makes a value the current one of a sealed secret; the one before is its previous one.
    async fn set(
        &self,
        resources: &Resources,
        name: &ResourceName,
        value: SecretValue,
        actor: &Actor,
    ) -> Answer<SecretSet>;
}
