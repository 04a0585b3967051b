//! The chain of the audit log: each entry carries the hash of the one before it.

use crate::actor::Actor;
use crate::digest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        let KeptEntry { entry, hash, payload } = kept;
        let broken = |what| {
            Err(BrokenChain {
                seq: self.seq + 1,
                what,
            })
        };
        if entry.seq != self.seq + 1 {
            return broken("its number does not follow: an entry is missing or out of place");
        }
        if entry.previous != self.hash {
            return broken("it does not carry the hash of the entry before it");
        }
        if entry.hash() != *hash {
            return broken("it has another hash than the one that was written with it: it was changed");
        }
        let payload_fits = |payload| Digest::of(canonical(payload)) == entry.payload_digest;
        if !payload.as_ref().is_none_or(payload_fits) {
            return broken("its payload has another digest: it was changed");
        }
        Ok(Self {
            seq: entry.seq,
            hash: *hash,
        })
    }
}

impl AuditEntry {
    /// SHA-256 over a domain prefix and the entry's canonical JSON (RFC 8785).
    pub fn hash(&self) -> Digest {
        let mut bytes = DOMAIN.to_vec();
        bytes.extend(canonical(self));
        Digest::of(bytes)
    }
}

/// The first entry that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("entry {seq} is broken: {what}")]
pub struct BrokenChain {
    /// Its number.
    pub seq: u64,
    /// What is wrong.
    pub what: &'static str,
}

/// Canonical JSON (RFC 8785).
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("what the host records has text as keys")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(number: i64) -> AuditRecord {
        AuditRecord {
            at: Timestamp::from_second(number).unwrap(),
            actor: Actor::Host,
            action: "run.queued".to_owned(),
            object: format!("run:{number}"),
            revision: None,
            payload: json!({ "number": number }),
        }
    }

    fn chain(length: i64) -> Vec<KeptEntry> {
        let mut head = AuditHead::default();
        (0..length)
            .map(|number| {
                let (entry, next) = head.append(&record(number));
                head = next;
                KeptEntry {
                    entry,
                    hash: next.hash,
                    payload: Some(record(number).payload),
                }
            })
            .collect()
    }

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
        let mut redacted = chain(5);
        redacted[2].payload = None;
        assert_eq!(verify(&redacted).unwrap().seq, 5);
    }

    #[test]
    fn every_kind_of_tampering_is_found_at_its_place() {
        check(|chain| chain[2].entry.object = "run:evil".to_owned(), 3);
        check(|chain| chain[4].entry.object = "run:evil".to_owned(), 5);
        check(|chain| drop(chain.remove(2)), 3);
        check(|chain| chain.swap(1, 2), 2);
        check(|chain| chain[3].payload = Some(json!({ "number": 99 })), 4);
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
