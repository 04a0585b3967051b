//! What is asked of the audit log of a host that runs elsewhere.

use crate::audit_routes::Redact;
use crate::client::{Client, answer};
use async_trait::async_trait;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sopwith_core::audit::{AuditEntry, KeptEntry, PublicKey};
use sopwith_core::failure::Failure;
use sopwith_core::port::AuditFilter;
use sopwith_core::port::operations::{
    AnchorStatus, AuditExport, AuditOperations, AuditPage, AuditStatus, AuditVerdict, ExportRange,
};

impl Client {
    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        answer(self.request(Method::POST, path).json(body)).await
    }
}

#[async_trait]
impl AuditOperations for Client {
    async fn verify_audit(&self, known: Vec<PublicKey>) -> Result<AuditVerdict, Failure> {
        self.post("/audit/verify", &known).await
    }

    async fn audit_entries(&self, filter: AuditFilter) -> Result<Vec<KeptEntry>, Failure> {
        self.post("/audit/search", &filter).await
    }

    async fn audit_page(&self, after: u64) -> Result<AuditPage, Failure> {
        self.get(&format!("/audit/entries?after={after}")).await
    }

    async fn export_audit(&self, range: ExportRange) -> Result<AuditExport, Failure> {
        self.post("/audit/export", &range).await
    }

    async fn redact_audit(&self, seq: u64, reason: String) -> Result<AuditEntry, Failure> {
        self.post("/audit/redact", &Redact { seq, reason }).await
    }

    async fn anchor_audit(&self) -> Result<Vec<AnchorStatus>, Failure> {
        self.post("/audit/anchor", &()).await
    }

    async fn audit_status(&self) -> Result<AuditStatus, Failure> {
        self.get("/audit/status").await
    }
}
