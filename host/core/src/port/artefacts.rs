//! What the host knows of the compiled plugins that lie on disk.

use super::store::Stored;
use crate::digest::Digest;
use async_trait::async_trait;
use std::collections::BTreeMap;

/// Keeps the digest of each compiled plugin that this host put on disk, apart from the files: what
/// is code is believed of no file for its name alone.
#[async_trait]
pub trait Artefacts: Send + Sync {
    /// The digests of the files by their names.
    async fn artefacts(&self) -> Stored<BTreeMap<String, Digest>>;
    /// Keeps the digests of these names, and forgets the names that have none, in one step.
    async fn set_artefacts(&self, changes: BTreeMap<String, Option<Digest>>) -> Stored<()>;
}
