//! Follows the audit log from its first line to its last, live or exported.

use super::{AuditHead, BrokenChain, Checkpoint, KeptEntry, Tombstone};
use crate::digest::Digest;

/// How far the log was followed, and what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    head: AuditHead,
    /// The entry of the last checkpoint that was seen.
    signed: Option<u64>,
    /// The last entry that a tombstone stands for, or the one before the first.
    gone: u64,
    entries: u64,
    retired: u64,
    redacted: u64,
    checkpoints: u64,
}

impl Follower {
    /// At the entry before the first one.
    pub fn new(before: AuditHead) -> Self {
        Self {
            head: before,
            signed: None,
            gone: before.seq,
            entries: 0,
            retired: 0,
            redacted: 0,
            checkpoints: 0,
        }
    }

    /// Goes on over entries that were retired.
    pub fn tombstone(&mut self, tombstone: &Tombstone) -> Result<(), BrokenChain> {
        if self.entries > 0 {
            return Err(self
                .head
                .broken("entries before it are said to be retired, and others before those are there"));
        }
        if tombstone.first != self.head.seq + 1 || tombstone.previous != self.head.hash {
            return Err(self
                .head
                .broken("the tombstone that stands for it does not follow what is before it"));
        }
        if tombstone.last < tombstone.first || tombstone.count != tombstone.last - tombstone.first + 1 {
            return Err(self
                .head
                .broken("the tombstone that stands for it contradicts itself"));
        }
        self.retired += tombstone.count;
        self.gone = tombstone.last;
        self.head = AuditHead {
            seq: tombstone.last,
            hash: tombstone.hash,
        };
        Ok(())
    }

    /// Goes on over an entry of which all is known.
    pub fn entry(&mut self, kept: &KeptEntry) -> Result<(), BrokenChain> {
        let next = self.head.follow(kept)?;
        self.go_on(next, kept.redaction.is_some());
        Ok(())
    }

    /// Goes on over an entry that was found to be sound in itself.
    pub(super) fn link(
        &mut self,
        seq: u64,
        previous: Digest,
        hash: Digest,
        is_redacted: bool,
    ) -> Result<(), BrokenChain> {
        let next = self.head.link(seq, previous, hash)?;
        self.go_on(next, is_redacted);
        Ok(())
    }

    fn go_on(&mut self, next: AuditHead, is_redacted: bool) {
        self.head = next;
        self.entries += 1;
        self.redacted += u64::from(is_redacted);
    }

    /// Goes on over the checkpoint of the entry that was the last.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), BrokenChain> {
        let broken = |what: &str| {
            let what = what.to_owned();
            Err(BrokenChain {
                seq: checkpoint.seq,
                what,
            })
        };
        if checkpoint.seq != self.head.seq || self.entries == 0 {
            return broken("its checkpoint does not stand behind it");
        }
        if checkpoint.hash != self.head.hash {
            return broken("it is not the entry that its checkpoint has signed");
        }
        let follows = match self.signed {
            Some(signed) => checkpoint.previous == Some(signed),
            // Checkpoints of retired entries are retired with them.
            None => checkpoint.previous.is_none_or(|previous| previous <= self.gone),
        };
        if !follows {
            let missing = checkpoint.previous.unwrap_or_default();
            return broken(&format!(
                "the checkpoint before its own, of entry {missing}, is missing or out of place"
            ));
        }
        self.signed = Some(checkpoint.seq);
        self.checkpoints += 1;
        Ok(())
    }

    /// The last entry so far.
    pub fn head(&self) -> AuditHead {
        self.head
    }

    /// The entry of the last checkpoint.
    pub fn signed(&self) -> Option<u64> {
        self.signed
    }

    /// How many entries were there.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// For how many entries tombstones stand.
    pub fn retired(&self) -> u64 {
        self.retired
    }

    /// How many of those that were there have no payload any more.
    pub fn redacted(&self) -> u64 {
        self.redacted
    }

    /// How many checkpoints were there.
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints
    }
}
