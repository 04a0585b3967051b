//! The port of the audit log, on one file of SQLite.

use crate::SqliteStore;
use crate::audit_log;
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::audit::{AuditEntry, AuditRecord, Checkpoint, KeptEntry, Redaction, Signed, Tombstone};
use sopwith_core::port::{AuditFilter, AuditLog, OldEntries, Stored};
use std::collections::BTreeMap;

#[async_trait]
impl AuditLog for SqliteStore {
    async fn find_entries(&self, filter: &AuditFilter) -> Stored<Vec<KeptEntry>> {
        let filter = filter.clone();
        self.readers
            .read(move |connection| audit_log::find(connection, &filter))
            .await
    }

    async fn entries_between(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Stored<Option<(u64, u64)>> {
        self.readers
            .read(move |connection| audit_log::between(connection, since, until))
            .await
    }

    async fn last_checkpoint(&self) -> Stored<Option<Signed<Checkpoint>>> {
        self.readers.read(audit_log::last_checkpoint).await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Stored<Vec<Signed<Checkpoint>>> {
        self.readers
            .read(move |connection| audit_log::checkpoints(connection, after, limit))
            .await
    }

    async fn add_checkpoint(&self, checkpoint: Signed<Checkpoint>) -> Stored<()> {
        self.writer
            .write(move |connection| audit_log::add_checkpoint(connection, &checkpoint))
            .await
    }

    async fn redact(&self, redaction: Signed<Redaction>, audit: AuditRecord) -> Stored<AuditEntry> {
        self.writer
            .write(move |connection| audit_log::redact(connection, &redaction, &audit))
            .await
    }

    async fn old_entries(&self, before: Timestamp, below: u64, most: u32) -> Stored<Option<OldEntries>> {
        self.readers
            .read(move |connection| audit_log::old_entries(connection, before, below, most))
            .await
    }

    async fn retire(&self, tombstone: Signed<Tombstone>, audit: AuditRecord) -> Stored<()> {
        self.writer
            .write(move |connection| audit_log::retire(connection, &tombstone, &audit))
            .await
    }

    async fn tombstones(&self, after: u64) -> Stored<Vec<Signed<Tombstone>>> {
        self.readers
            .read(move |connection| audit_log::tombstones(connection, after))
            .await
    }

    async fn anchored(&self) -> Stored<BTreeMap<String, u64>> {
        self.readers.read(audit_log::anchored).await
    }

    async fn set_anchored(&self, anchor: &str, seq: u64) -> Stored<()> {
        let anchor = anchor.to_owned();
        self.writer
            .write(move |connection| audit_log::set_anchored(connection, &anchor, seq))
            .await
    }
}
