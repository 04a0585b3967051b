//! The port of the audit log, with faults.

use super::store::FaultyStore;
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::audit::{AuditEntry, AuditRecord, Checkpoint, KeptEntry, Redaction, Signed, Tombstone};
use sopwith_core::port::{AuditFilter, AuditLog, OldEntries, Stored};
use std::collections::BTreeMap;

#[async_trait]
impl AuditLog for FaultyStore {
    async fn find_entries(&self, filter: &AuditFilter) -> Stored<Vec<KeptEntry>> {
        self.faults
            .pass("find_entries", self.real.find_entries(filter))
            .await
    }

    async fn entries_between(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Stored<Option<(u64, u64)>> {
        let work = self.real.entries_between(since, until);
        self.faults.pass("entries_between", work).await
    }

    async fn last_checkpoint(&self) -> Stored<Option<Signed<Checkpoint>>> {
        self.faults
            .pass("last_checkpoint", self.real.last_checkpoint())
            .await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Stored<Vec<Signed<Checkpoint>>> {
        self.faults
            .pass("checkpoints", self.real.checkpoints(after, limit))
            .await
    }

    async fn add_checkpoint(&self, checkpoint: Signed<Checkpoint>) -> Stored<()> {
        let work = self.real.add_checkpoint(checkpoint);
        self.faults.pass("add_checkpoint", work).await
    }

    async fn redact(&self, redaction: Signed<Redaction>, audit: AuditRecord) -> Stored<AuditEntry> {
        self.faults
            .pass("redact", self.real.redact(redaction, audit))
            .await
    }

    async fn old_entries(&self, before: Timestamp, below: u64, most: u32) -> Stored<Option<OldEntries>> {
        let work = self.real.old_entries(before, below, most);
        self.faults.pass("old_entries", work).await
    }

    async fn retire(&self, tombstone: Signed<Tombstone>, audit: AuditRecord) -> Stored<()> {
        self.faults
            .pass("retire", self.real.retire(tombstone, audit))
            .await
    }

    async fn tombstones(&self, after: u64) -> Stored<Vec<Signed<Tombstone>>> {
        self.faults.pass("tombstones", self.real.tombstones(after)).await
    }

    async fn anchored(&self) -> Stored<BTreeMap<String, u64>> {
        self.faults.pass("anchored", self.real.anchored()).await
    }

    async fn set_anchored(&self, anchor: &str, seq: u64) -> Stored<()> {
        self.faults
            .pass("set_anchored", self.real.set_anchored(anchor, seq))
            .await
    }
}
