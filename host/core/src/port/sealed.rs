//! Where the sealed values of secrets lie.

use super::store::Stored;
use crate::audit::AuditRecord;
use crate::name::ResourceName;
use crate::secret::SecretVersion;
use async_trait::async_trait;

/// A version of a secret with its value, which only the host's key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedVersion {
    /// What is known of it.
    pub version: SecretVersion,
    /// The public part of the key that opens it.
    pub key: String,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

/// Keeps sealed values, which are worth nothing without the host's key.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// The versions of a secret, the newest first.
    async fn sealed_versions(&self, secret: &ResourceName) -> Stored<Vec<SecretVersion>>;
    /// One of them, with its sealed value.
    async fn sealed(&self, secret: &ResourceName, id: &str) -> Stored<Option<SealedVersion>>;
    /// The secrets and ids of all versions that are current or previous.
    async fn versions_in_use(&self) -> Stored<Vec<(ResourceName, String)>>;
    /// Adds a version, moves the others on ([`Stage::after`](crate::secret::Stage::after)) and writes
    /// the audit entry, all in one step. Where the version at this stage has the same fingerprint,
    /// nothing changes. Returns the version that then is at this stage.
    ///
    /// Of one origin a secret keeps at most `versions_max` versions.
    async fn add_sealed(
        &self,
        secret: &ResourceName,
        added: SealedVersion,
        versions_max: u64,
        audit: AuditRecord,
    ) -> Stored<SecretVersion>;
}
