//! The chain of the audit log: each entry carries the hash of the one before it.

use super::{Redaction, Signed};
use crate::actor::Actor;
use crate::digest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(super) const CHANGED: &str = "it has another hash than the one that was written with it: it was changed";
pub(super) const PAYLOAD_CHANGED: &str = "its payload has another digest: it was changed";

/// Parts the hashes of this log from all other uses of SHA-256.
const DOMAIN: &[u8] = b"sopwith audit entry 1\n";

/// What an entry says, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done: `run.succeeded`, `configuration.accepted`.
    pub action: String,
    /// To what: `run:01k…`, `procedure:clinic-backup`.
    pub object: String,
    /// The definition that was in force.
    pub revision: Option<Digest>,
    /// The details; they lie apart from the chain, which has only their digest.
    pub payload: Value,
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// The hash of the entry before it; of nothing for the first.
    pub previous: Digest,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// The definition that was in force.
    pub revision: Option<Digest>,
    /// The digest of the payload's canonical JSON.
    pub payload_digest: Digest,
}

/// An entry as it was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptEntry {
    /// The entry.
    pub entry: AuditEntry,
    /// The hash that was written with it.
    pub hash: Digest,
    /// The details; none where they were redacted.
    pub payload: Option<Value>,
    /// Who redacted them, and why.
    #[serde(default)]
    pub redaction: Option<Signed<Redaction>>,
}

impl KeptEntry {
    /// What is wrong with it, whatever stands before it.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.entry.hash() != self.hash {
            return Err(CHANGED);
        }
        match (&self.payload, &self.redaction) {
            (Some(payload), None) if Digest::of(canonical(payload)) == self.entry.payload_digest => Ok(()),
            (Some(_), None) => Err(PAYLOAD_CHANGED),
            (Some(_), Some(_)) => Err("its payload was redacted, and is there"),
            (None, None) => Err("its payload is gone, and nobody redacted it"),
            (None, Some(redaction)) => check_redaction(redaction, self.entry.seq, self.entry.payload_digest),
        }
    }
}

/// What is wrong with a redaction of this entry.
pub(super) fn check_redaction(
    redaction: &Signed<Redaction>,
    seq: u64,
    payload_digest: Digest,
) -> Result<(), &'static str> {
    if redaction.statement.seq != seq || redaction.statement.payload_digest != payload_digest {
        Err("its payload is gone, and what says so is of another entry")
    } else if !redaction.holds() {
        Err("its payload is gone, and what says so is not signed by the key that it names")
    } else {
        Ok(())
    }
}

/// The last link of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of entries.
    pub seq: u64,
    /// Hash of the last one.
    pub hash: Digest,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: Digest::of(""),
        }
    }
}

impl AuditHead {
    /// The entry for this record in the next place, and the chain's end after it.
    pub fn append(self, record: &AuditRecord) -> (AuditEntry, Self) {
        let entry = AuditEntry {
            seq: self.seq + 1,
            previous: self.hash,
            at: record.at,
            actor: record.actor.clone(),
            action: record.action.clone(),
            object: record.object.clone(),
            revision: record.revision,
            payload_digest: Digest::of(canonical(&record.payload)),
        };
        let hash = entry.hash();
        let seq = entry.seq;
        (entry, Self { seq, hash })
    }

    /// The chain's end after an entry that was read back, or what is wrong with it.
    pub fn follow(self, kept: &KeptEntry) -> Result<Self, BrokenChain> {
        let next = self.link(kept.entry.seq, kept.entry.previous, kept.hash)?;
        kept.check().map_err(|what| self.broken(what))?;
        Ok(next)
    }

    /// The chain's end after an entry of this number with this hash, which carries the one before it.
    pub(super) fn link(self, seq: u64, previous: Digest, hash: Digest) -> Result<Self, BrokenChain> {
        if seq != self.seq + 1 {
            return Err(self.broken("its number does not follow: an entry is missing or out of place"));
        }
        if previous != self.hash {
            return Err(self.broken("it does not carry the hash of the entry before it"));
        }
        Ok(Self { seq, hash })
    }

    /// The next entry is broken.
    pub(super) fn broken(self, what: impl Into<String>) -> BrokenChain {
        BrokenChain {
            seq: self.seq + 1,
            what: what.into(),
        }
    }
}

impl AuditEntry {
    /// SHA-256 over a domain prefix and the entry's canonical JSON (RFC 8785).
    pub fn hash(&self) -> Digest {
        hash_of(&canonical(self))
    }
}

/// The hash of an entry whose canonical JSON this is.
pub(super) fn hash_of(canonical: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(canonical);
    Digest::from_hasher(hasher)
}

/// The first entry that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("entry {seq} is broken: {what}")]
pub struct BrokenChain {
    /// Its number.
    pub seq: u64,
    /// What is wrong.
    pub what: String,
}

/// Canonical JSON (RFC 8785).
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("what the host records has text as keys")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{OTHER, OWN, chain, redacted};
    use super::*;
    use crate::audit::Signer as _;
    use serde_json::json;

    fn verify(chain: &[KeptEntry]) -> Result<AuditHead, BrokenChain> {
        chain.iter().try_fold(AuditHead::default(), AuditHead::follow)
    }

    /// Tampers with a chain of five, and asserts which entry is the first bad one.
    fn check(tamper: impl FnOnce(&mut Vec<KeptEntry>), first_bad: u64) {
        let mut tampered = chain(5);
        tamper(&mut tampered);
        assert_eq!(verify(&tampered).unwrap_err().seq, first_bad);
    }

    #[test]
    fn an_untouched_chain_holds() {
        assert_eq!(verify(&chain(5)).unwrap().seq, 5);
    }

    #[test]
    fn a_redacted_payload_does_not_break_the_chain() {
        let mut chain = chain(5);
        redacted(&mut chain[2], &OWN);
        assert_eq!(verify(&chain).unwrap().seq, 5);
    }

    #[test]
    fn every_kind_of_tampering_is_found_at_its_place() {
        check(|chain| chain[2].entry.object = "run:evil".to_owned(), 3);
        check(|chain| chain[4].entry.object = "run:evil".to_owned(), 5);
        check(|chain| drop(chain.remove(2)), 3);
        check(|chain| chain.swap(1, 2), 2);
        check(|chain| chain[3].payload = Some(json!({ "number": 99 })), 4);
        check(|chain| chain[3].payload = None, 4);
        check(
            |chain| {
                redacted(&mut chain[1], &OWN);
                chain[2].payload = None;
                chain[2].redaction = chain[1].redaction.clone();
            },
            3,
        );
        check(
            |chain| {
                redacted(&mut chain[1], &OWN);
                chain[1].redaction.as_mut().unwrap().statement.key = OTHER.public_key();
            },
            2,
        );
        // With a hash that fits the forged entry it is the next one that gives it away.
        check(
            |chain| {
                chain[2].entry.object = "run:evil".to_owned();
                chain[2].hash = chain[2].entry.hash();
            },
            4,
        );
    }
}
