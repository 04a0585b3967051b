//! What people and programs can ask of the audit log.

use super::audit::AuditFilter;
use crate::audit::{AuditEntry, Checkpoint, Header, KeptEntry, PublicKey, Signed, Tombstone};
use crate::digest::Digest;
use crate::failure::Failure;
use crate::generation::Anchor;
use crate::name::ResourceName;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether the audit log holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerdict {
    /// The number of the last entry that was followed.
    pub entries: u64,
    /// The hash of the last of them.
    pub head: Digest,
    /// The first entry that does not fit, as a sentence.
    pub broken: Option<String>,
    /// How many of them were retired, and are there as tombstones alone.
    pub retired: u64,
    /// How many of them have no payload any more.
    pub redacted: u64,
    /// The entry of the last checkpoint: what is after it is not signed yet.
    pub signed: Option<u64>,
    /// Keys that signed and are neither the host's nor known to who asked.
    pub unknown_keys: Vec<PublicKey>,
}

/// Which entries an export has; every field narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRange {
    /// From this number on.
    pub from: Option<u64>,
    /// Up to this number.
    pub to: Option<u64>,
    /// From the first that was written at this instant or later.
    pub since: Option<Timestamp>,
    /// Up to the last that was written before this instant.
    pub until: Option<Timestamp>,
}

/// What an export begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditExport {
    /// Its first line.
    pub header: Signed<Header>,
    /// What stands in it for entries that were retired.
    pub tombstones: Vec<Signed<Tombstone>>,
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Entries, oldest first.
    pub entries: Vec<KeptEntry>,
    /// The checkpoints of these entries.
    pub checkpoints: Vec<Signed<Checkpoint>>,
}

/// How the signing of the audit log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditStatus {
    /// The host's public key; none where there is no key.
    pub key: Option<PublicKey>,
    /// The number of the last entry.
    pub last: u64,
    /// The newest checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Why the log cannot be signed, or what is old cannot be retired.
    pub problem: Option<String>,
    /// The anchors.
    pub anchors: Vec<AnchorStatus>,
}

/// How an anchor stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorStatus {
    /// The operator's name for it.
    pub name: ResourceName,
    /// Where checkpoints are sent.
    pub anchor: Anchor,
    /// The entry of the newest checkpoint that it has.
    pub seq: Option<u64>,
    /// Whether it has the newest checkpoint.
    pub is_current: bool,
    /// Why it could not be told the last time.
    pub problem: Option<String>,
}

/// What people and programs can ask of the audit log.
#[async_trait]
pub trait AuditOperations: Send + Sync {
    /// Follows the whole audit log. Signatures of the host's key and of those that are known count.
    async fn verify_audit(&self, known: Vec<PublicKey>) -> Result<AuditVerdict, Failure>;
    /// The newest entries that fit, newest first.
    async fn audit_entries(&self, filter: AuditFilter) -> Result<Vec<KeptEntry>, Failure>;
    /// Entries after this number with their checkpoints, as many as one answer carries.
    async fn audit_page(&self, after: u64) -> Result<AuditPage, Failure>;
    /// Begins an export, which has an entry of its own.
    async fn export_audit(&self, range: ExportRange) -> Result<AuditExport, Failure>;
    /// Takes the payload of an entry away for good; returns the entry that says so.
    async fn redact_audit(&self, seq: u64, reason: String) -> Result<AuditEntry, Failure>;
    /// Signs what is not signed yet and tells all anchors.
    async fn anchor_audit(&self) -> Result<Vec<AnchorStatus>, Failure>;
    /// How the signing of the log stands.
    async fn audit_status(&self) -> Result<AuditStatus, Failure>;
}
