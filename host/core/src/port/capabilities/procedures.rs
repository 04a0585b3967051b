//! Other procedures.

use super::{Answer, Pairs, Waited};
use crate::run::Run;
use async_trait::async_trait;
use serde_json::Value;

/// Runs other procedures, and looks at what they came to.
#[async_trait]
pub trait Procedures: Send + Sync {
    /// Runs a procedure in the place of this run; `lend` gives it scratch databases of this run, by the
    /// names of the databases in whose place they stand.
    async fn call(
        &self,
        procedure: &str,
        action: Option<&str>,
        inputs: Value,
        lend: Pairs,
    ) -> Answer<Waited<Run>>;
    /// The newest run that passed.
    async fn last_passed(&self, procedure: &str, action: Option<&str>) -> Answer<Option<Run>>;
}
