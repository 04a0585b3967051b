//! Secrets as versions; the values stay in the host.

use super::Answer;
use crate::secret::{SecretValue, SecretVersion};
use async_trait::async_trait;

/// Looks at secrets by their names.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The versions known, the newest first.
    async fn versions(&self, secret: &str) -> Answer<Vec<SecretVersion>>;
}

/// Hands out values, and takes them in.
#[async_trait]
pub trait SecretReveal: Send + Sync {
    /// The value of a version.
    async fn reveal(&self, secret: &str, version: &str) -> Answer<SecretValue>;
    /// Keeps a value as the pending version, and returns its id.
    async fn put(&self, secret: &str, value: Vec<u8>) -> Answer<String>;
}
