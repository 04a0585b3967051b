//! Chains, keys and exports for tests.

use super::{
    AuditHead, AuditRecord, Checkpoint, FORMAT, Header, KeptEntry, Line, PublicKey, Redaction, Signature,
    Signed, Signer, Tombstone, entry_line,
};
use crate::actor::Actor;
use ed25519_dalek::{Signer as _, SigningKey};
use jiff::Timestamp;
use serde_json::json;

/// A key that everybody knows.
pub(super) struct TestSigner(u8);

pub(super) const OWN: TestSigner = TestSigner(1);
pub(super) const OTHER: TestSigner = TestSigner(2);

impl TestSigner {
    fn key(&self) -> SigningKey {
        SigningKey::from_bytes(&[self.0; 32])
    }
}

impl Signer for TestSigner {
    fn public_key(&self) -> PublicKey {
        self.key().verifying_key().to_bytes().into()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.key().sign(message).to_bytes().into()
    }
}

pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
}

pub(super) fn chain(length: u64) -> Vec<KeptEntry> {
    let mut head = AuditHead::default();
    let mut chain = Vec::new();
    for number in 1..=length {
        let payload = json!({ "number": number, "text": "a \"quoted\" line\nand ü" });
        let record = AuditRecord {
            at: at(number),
            actor: Actor::Host,
            action: "run.queued".to_owned(),
            object: format!("run:{number}"),
            revision: None,
            payload: payload.clone(),
        };
        let (entry, next) = head.append(&record);
        head = next;
        chain.push(KeptEntry {
            entry,
            hash: head.hash,
            payload: Some(payload),
            redaction: None,
        });
    }
    chain
}

/// Takes the payload away as the host does.
pub(super) fn redacted(kept: &mut KeptEntry, signer: &dyn Signer) {
    kept.payload = None;
    let redaction = Redaction {
        actor: Actor::Host,
        at: kept.entry.at,
        key: signer.public_key(),
        payload_digest: kept.entry.payload_digest,
        reason: "a name".to_owned(),
        seq: kept.entry.seq,
    };
    kept.redaction = Some(Signed::new(redaction, signer));
}

pub(super) fn checkpoint(kept: &KeptEntry, previous: Option<u64>, signer: &dyn Signer) -> Signed<Checkpoint> {
    let checkpoint = Checkpoint {
        at: kept.entry.at,
        format: FORMAT,
        hash: kept.hash,
        key: signer.public_key(),
        previous,
        seq: kept.entry.seq,
    };
    Signed::new(checkpoint, signer)
}

fn tombstone(retired: &[KeptEntry], signer: &dyn Signer) -> Signed<Tombstone> {
    let (first, last) = (retired.first().unwrap(), retired.last().unwrap());
    let tombstone = Tombstone {
        at: at(1_000_000),
        count: retired.len() as u64,
        first: first.entry.seq,
        from: first.entry.at,
        hash: last.hash,
        key: signer.public_key(),
        last: last.entry.seq,
        previous: first.entry.previous,
        to: last.entry.at,
    };
    Signed::new(tombstone, signer)
}

/// An export of so many entries with a checkpoint every `every`, in lines with their ends. The first
/// `retired` entries are gone in two segments, and the payload of one that is left was redacted.
pub(super) fn export(length: u64, every: u64, retired: usize) -> Vec<Vec<u8>> {
    let mut chain = chain(length);
    let header = Header {
        at: at(2_000_000),
        checkpoint: Some(length / every * every).filter(|seq| *seq > retired as u64),
        first: 1,
        format: FORMAT,
        key: OWN.public_key(),
        last: length,
        last_hash: chain.last().unwrap().hash,
        previous: AuditHead::default().hash,
        sopwith: "0.1.0".to_owned(),
        to_the_end: true,
    };
    let mut lines = vec![Line::Header(Signed::new(header, &OWN)).written()];
    let (gone, kept) = chain.split_at_mut(retired);
    for segment in gone.chunks(retired / 2 + 1) {
        lines.push(Line::Tombstone(tombstone(segment, &OWN)).written());
    }
    redacted(kept.last_mut().unwrap(), &OWN);
    for entry in kept {
        lines.push(entry_line(entry));
        let seq = entry.entry.seq;
        if seq % every == 0 {
            let previous = Some(seq - every).filter(|previous| *previous > 0);
            lines.push(Line::Checkpoint(checkpoint(entry, previous, &OWN)).written());
        }
    }
    lines
}
