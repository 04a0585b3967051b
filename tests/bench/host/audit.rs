//! How soon an auditor knows that an export of a million entries holds.

use crate::place::Place;
use ed25519_dalek::{Signer as _, SigningKey};
use jiff::Timestamp;
use sopwith_bench::{Figure, Quantity, Target, timed};
use sopwith_core::actor::Actor;
use sopwith_core::audit::{
    AuditHead, AuditRecord, CHECKPOINT_EVERY, Checkpoint, FORMAT, Header, KeptEntry, Line, PublicKey,
    Signature, Signed, Signer, entry_line,
};
use sopwith_core::digest::Digest;
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ENTRIES: u64 = 1_000_000;
const ROUNDS: usize = 3;
const WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn measure() {
    let place = Place::bare();
    let file = place.path("log.ndjson");
    let key = write(&file);
    let mut command = place.command(&["audit", "verify", &file.display().to_string(), "--key", &key]);
    let mut verified: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let (output, time) = timed(|| command.output().expect("it starts"));
            assert!(output.status.success(), "{output:?}");
            time
        })
        .collect();
    let mut hashed: Vec<_> = (0..ROUNDS)
        .map(|_| timed(|| Command::new("sha256sum").arg(&file).output().expect("it starts")).1)
        .collect();
    verified.sort_unstable();
    hashed.sort_unstable();
    let figure = Figure {
        name: "an export of 1,000,000 entries verified",
        measured: Quantity::Time(verified[ROUNDS / 2]),
        baseline: ("`sha256sum` of the file", Quantity::Time(hashed[ROUNDS / 2])),
        target: Target::AtMost(Quantity::Time(WITHIN)),
    };
    figure.tell();
}

struct Key(SigningKey);

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        self.0.verifying_key().to_bytes().into()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message).to_bytes().into()
    }
}

/// Writes an export as a host would, and says which key verifies it.
fn write(path: &Path) -> String {
    let key = Key(SigningKey::from_bytes(&[7; 32]));
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let at = clinic::clock::now();
    let header = |head: AuditHead| {
        let header = Header {
            at,
            checkpoint: Some(ENTRIES / CHECKPOINT_EVERY * CHECKPOINT_EVERY),
            first: 1,
            format: FORMAT,
            key: key.public_key(),
            last: ENTRIES,
            last_hash: head.hash,
            previous: AuditHead::default().hash,
            sopwith: "0.1.0".to_owned(),
            to_the_end: true,
        };
        Line::Header(Signed::new(header, &key)).written()
    };
    // The header is of one length, and its hash is known at the end.
    let first = header(AuditHead::default());
    file.write_all(&first).expect("room");
    let mut head = AuditHead::default();
    for number in 1..=ENTRIES {
        let kept = append(&mut head, number, at);
        file.write_all(&entry_line(&kept)).expect("room");
        if number % CHECKPOINT_EVERY == 0 {
            let checkpoint = Checkpoint {
                at,
                format: FORMAT,
                hash: head.hash,
                key: key.public_key(),
                previous: Some(number - CHECKPOINT_EVERY).filter(|seq| *seq > 0),
                seq: number,
            };
            let line = Line::Checkpoint(Signed::new(checkpoint, &key)).written();
            file.write_all(&line).expect("room");
        }
    }
    let mut file = file.into_inner().expect("room");
    let again = header(head);
    file.rewind().expect("a file");
    assert_eq!(again.len(), first.len());
    file.write_all(&again).expect("room");
    key.public_key().to_string()
}

/// The end of a run, as a host keeps it.
fn append(head: &mut AuditHead, number: u64, at: Timestamp) -> KeptEntry {
    let payload = serde_json::json!({
        "at": at,
        "event": "succeeded",
        "plugin": "backup",
        "plugin_digest": Digest::of("plugin"),
        "report": { "summary": "backed up app to app-20260301.db", "verdict": "ok" },
    });
    let record = AuditRecord {
        at,
        actor: Actor::Host,
        action: "run.succeeded".to_owned(),
        object: format!("run:01kb{number:022}"),
        revision: Some(Digest::of("revision")),
        payload: payload.clone(),
    };
    let (entry, next) = head.append(&record);
    *head = next;
    KeptEntry {
        entry,
        hash: next.hash,
        payload: Some(payload),
        redaction: None,
    }
}
