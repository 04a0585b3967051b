//! People and other procedures, of which there are none.

use crate::capabilities::{Notes, absent};
use async_trait::async_trait;
use serde_json::Value;
use sopwith_core::approval::{Asked, RequestKind};
use sopwith_core::port::capabilities::{Answer, Approvals, Pairs, Procedures, Waited};
use sopwith_core::run::Run;

/// Nobody is there to answer.
#[async_trait]
impl Approvals for Notes {
    async fn ask(&self, _: RequestKind, _: &str, _: &str, _: Value) -> Answer<Waited<Asked>> {
        Ok(Waited::Suspended)
    }
}

#[async_trait]
impl Procedures for Notes {
    async fn call(&self, _: &str, _: Option<&str>, _: Value, _: Pairs) -> Answer<Waited<Run>> {
        absent()
    }

    async fn last_passed(&self, _: &str, _: Option<&str>) -> Answer<Option<Run>> {
        absent()
    }
}
