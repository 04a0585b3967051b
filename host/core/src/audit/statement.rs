//! What is signed over the chain: checkpoints, redactions, and what stands for retired entries.

use super::{AuditHead, PublicKey, Statement};
use crate::actor::Actor;
use crate::digest::Digest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The version of what is signed and exported.
pub const FORMAT: u32 = 1;

/// So many entries after one checkpoint there is another one.
pub const CHECKPOINT_EVERY: u64 = 256;

/// New entries are signed after so long, however few they are.
const CHECKPOINT_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Says how the chain stood at an instant: an entry and, by its hash, all entries before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// When it was signed.
    pub at: Timestamp,
    /// The version of the format.
    pub format: u32,
    /// The hash of the entry.
    pub hash: Digest,
    /// The host's public key.
    pub key: PublicKey,
    /// The entry that the checkpoint before this one is of; none for the first.
    pub previous: Option<u64>,
    /// The number of the entry.
    pub seq: u64,
}

impl Checkpoint {
    /// The chain's end as this checkpoint saw it.
    pub fn head(&self) -> AuditHead {
        AuditHead {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

impl Statement for Checkpoint {
    const DOMAIN: &'static str = "sopwith audit checkpoint 1\n";

    fn key(&self) -> PublicKey {
        self.key
    }
}

/// The entry that the next checkpoint is of, where one is due: at the latest the 256th after the last
/// one, and the newest once the first that is not signed has waited for ten minutes.
///
/// `signed` is the entry of the last checkpoint, 0 for none, and `oldest_new` when the one after it was
/// written.
pub fn checkpoint_due(signed: u64, head: u64, oldest_new: Timestamp, now: Timestamp) -> Option<u64> {
    if head >= signed + CHECKPOINT_EVERY {
        return Some(signed + CHECKPOINT_EVERY);
    }
    // A clock that was turned back since makes no entry wait longer.
    let waited = oldest_new.duration_until(now);
    let is_due = head > signed && (waited >= CHECKPOINT_AFTER || waited.is_negative());
    is_due.then_some(head)
}

/// Says who took the payload of an entry away, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The host's public key.
    pub key: PublicKey,
    /// The digest of the payload that was there.
    pub payload_digest: Digest,
    /// Why.
    pub reason: String,
    /// The number of the entry.
    pub seq: u64,
}

impl Statement for Redaction {
    const DOMAIN: &'static str = "sopwith audit redaction 1\n";

    fn key(&self) -> PublicKey {
        self.key
    }
}

/// Stands for entries that were kept long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// When they were removed.
    pub at: Timestamp,
    /// How many.
    pub count: u64,
    /// The number of the first.
    pub first: u64,
    /// When the first was written.
    pub from: Timestamp,
    /// The hash of the last, from which the chain goes on.
    pub hash: Digest,
    /// The host's public key.
    pub key: PublicKey,
    /// The number of the last.
    pub last: u64,
    /// The hash of the entry before the first.
    pub previous: Digest,
    /// When the last was written.
    pub to: Timestamp,
}

impl Statement for Tombstone {
    const DOMAIN: &'static str = "sopwith audit tombstone 1\n";

    fn key(&self) -> PublicKey {
        self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_after_256_entries_or_ten_minutes_with_new_ones() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let due = |signed, head, waited: i64| checkpoint_due(signed, head, at(60), at(60 + waited));
        assert_eq!(due(0, 0, 99), None);
        assert_eq!(due(0, 1, 9), None);
        assert_eq!(due(0, 1, 10), Some(1));
        assert_eq!(due(0, 255, 0), None);
        assert_eq!(due(0, 256, 0), Some(256));
        assert_eq!(due(0, 10_000, 0), Some(256));
        assert_eq!(due(256, 256, 99), None);
        assert_eq!(due(256, 300, 10), Some(300));
        assert_eq!(due(300, 556, 0), Some(556));
        assert_eq!(due(300, 301, -1), Some(301), "the clock was turned back");
    }
}
