//! Durable state of a procedure.

use super::Answer;
use async_trait::async_trait;

/// A value of the procedure's state, with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// The value.
    pub value: Vec<u8>,
    /// Counts from 1.
    pub version: u64,
}

/// Durable state of the procedure.
#[async_trait]
pub trait State: Send + Sync {
    /// Reads.
    async fn get(&self, key: &str) -> Answer<Option<StateEntry>>;
    /// Writes, and returns the new version; `expected` 0 means that there is none yet.
    async fn set(&self, key: &str, value: Vec<u8>, expected: Option<u64>) -> Answer<u64>;
    /// Forgets.
    async fn delete(&self, key: &str) -> Answer<()>;
    /// Lists.
    async fn keys(&self, prefix: &str) -> Answer<Vec<String>>;
}
