//! Where the audit log is kept, and who signs it and tells others of it.

use super::capabilities::Answer;
use super::store::Stored;
use crate::audit::{
    AuditEntry, AuditRecord, Checkpoint, KeptEntry, PublicKey, Redaction, Signed, Signer, Tombstone,
};
use crate::digest::Digest;
use crate::generation::Anchor;
use crate::resource::Resources;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which entries are asked for; every field narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditFilter {
    /// Written at this instant or later.
    pub since: Option<Timestamp>,
    /// Written before this instant.
    pub until: Option<Timestamp>,
    /// By this actor: `host`, `schedule`, `user:ann`.
    pub actor: Option<String>,
    /// That tell of this: `run.queued`.
    pub action: Option<String>,
    /// That tell of it of this: `run:01k…`.
    pub object: Option<String>,
    /// Of this number alone.
    pub seq: Option<u64>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// Entries that are old enough to be retired, all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldEntries {
    /// The first of them, which is the first of all that are there.
    pub first: u64,
    /// When it was written.
    pub from: Timestamp,
    /// The hash of the entry before it.
    pub previous: Digest,
    /// The last of them.
    pub last: u64,
    /// When it was written.
    pub to: Timestamp,
    /// The hash of the last.
    pub hash: Digest,
}

impl OldEntries {
    /// How many they are.
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Keeps what belongs to the audit log beside its entries.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// The newest entries that fit, newest first.
    async fn find_entries(&self, filter: &AuditFilter) -> Stored<Vec<KeptEntry>>;
    /// The numbers of the first and the last entry that were written in this time.
    async fn entries_between(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Stored<Option<(u64, u64)>>;
    /// The newest checkpoint.
    async fn last_checkpoint(&self) -> Stored<Option<Signed<Checkpoint>>>;
    /// The checkpoints of entries after this number, oldest first.
    async fn checkpoints(&self, after: u64, limit: u32) -> Stored<Vec<Signed<Checkpoint>>>;
    /// Keeps a checkpoint, which has to follow on the newest one.
    async fn add_checkpoint(&self, checkpoint: Signed<Checkpoint>) -> Stored<()>;
    /// Takes the payload of an entry away, with an entry that says so. Fails where it is not there.
    async fn redact(&self, redaction: Signed<Redaction>, audit: AuditRecord) -> Stored<AuditEntry>;
    /// The oldest entries that were written before an instant and have a number below this one, at most
    /// so many; none where there are none.
    async fn old_entries(&self, before: Timestamp, below: u64, most: u32) -> Stored<Option<OldEntries>>;
    /// Removes the entries that a tombstone stands for, with an entry that says so.
    async fn retire(&self, tombstone: Signed<Tombstone>, audit: AuditRecord) -> Stored<()>;
    /// The tombstones of entries after this number, oldest first.
    async fn tombstones(&self, after: u64) -> Stored<Vec<Signed<Tombstone>>>;
    /// The newest checkpoint that each anchor has.
    async fn anchored(&self) -> Stored<BTreeMap<String, u64>>;
    /// Notes that an anchor has the checkpoints up to this one.
    async fn set_anchored(&self, anchor: &str, seq: u64) -> Stored<()>;
}

/// Signs in the host's name, and tells others what was signed.
#[async_trait]
pub trait Notary: Send + Sync {
    /// The host's key. Where there is none, and what is to be signed is the first that it signs, one is made.
    async fn signer(&self, is_first: bool) -> Answer<Arc<dyn Signer>>;
    /// The public part of the host's key; none where there is no key.
    fn public_key(&self) -> Answer<Option<PublicKey>>;
    /// Hands lines to an anchor. When it returns, the anchor has them.
    async fn send(&self, anchor: &Anchor, resources: &Resources, lines: Vec<u8>) -> Answer<()>;
}
