//! People, whom a run asks and waits for.

use super::{Answer, Waited};
use crate::approval::{Asked, RequestKind};
use async_trait::async_trait;
use serde_json::Value;

/// Asks people.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Asks under this name, once for each subject; what was decided comes back.
    async fn ask(
        &self,
        kind: RequestKind,
        name: &str,
        prompt: &str,
        evidence: Value,
    ) -> Answer<Waited<Asked>>;
}
