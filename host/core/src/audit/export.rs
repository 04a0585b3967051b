//! What an export is written as: one line of canonical JSON for each thing, the header first.

use super::{Checkpoint, FORMAT, Found, KeptEntry, PublicKey, Signed, Statement, Tombstone, canonical};
use crate::digest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Says what is in an export, so that nothing of it can be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// When it was made.
    pub at: Timestamp,
    /// The entry of the last checkpoint in it; none where there is no checkpoint in it.
    pub checkpoint: Option<u64>,
    /// The number of the first entry, retired ones that a tombstone stands for included.
    pub first: u64,
    /// The version of the format.
    pub format: u32,
    /// The host's public key.
    pub key: PublicKey,
    /// The number of the last entry.
    pub last: u64,
    /// The hash of the last entry.
    pub last_hash: Digest,
    /// The hash of the entry before the first.
    pub previous: Digest,
    /// The version of Sopwith that made it.
    pub sopwith: String,
    /// Whether the log had no entry after the last one when it was made.
    pub to_the_end: bool,
}

impl Statement for Header {
    const DOMAIN: &'static str = "sopwith audit export 1\n";

    fn key(&self) -> PublicKey {
        self.key
    }
}

/// A line that is not an entry. Those of an anchor are checkpoints alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The first line.
    Header(Signed<Header>),
    /// In the place of entries that were retired.
    Tombstone(Signed<Tombstone>),
    /// After the entry that it is of.
    Checkpoint(Signed<Checkpoint>),
}

impl Line {
    /// Its bytes, with the end of the line.
    pub fn written(&self) -> Vec<u8> {
        let mut line = canonical(self);
        line.push(b'\n');
        line
    }
}

/// The line of an entry, with the end of the line. The entry and its payload stand in it as they were
/// hashed.
pub fn entry_line(kept: &KeptEntry) -> Vec<u8> {
    let (name, rest) = match (&kept.payload, &kept.redaction) {
        (_, Some(redaction)) => (&b"redacted"[..], canonical(redaction)),
        (payload, None) => (&b"payload"[..], canonical(payload)),
    };
    let mut line = assembled(&canonical(&kept.entry), kept.hash, name, &rest);
    line.push(b'\n');
    line
}

/// The canonical JSON of an entry's line from that of its parts.
pub(super) fn assembled(entry: &[u8], hash: Digest, name: &[u8], rest: &[u8]) -> Vec<u8> {
    let hash = hash.to_string();
    let parts = [
        b"{\"entry\":",
        entry,
        b",\"hash\":\"",
        hash.as_bytes(),
        b"\",\"",
        name,
        b"\":",
        rest,
        b"}",
    ];
    parts.concat()
}

pub(super) fn check_format(format: u32) -> Result<(), String> {
    if format == FORMAT {
        return Ok(());
    }
    Err(format!(
        "it has format {format}, and this Sopwith knows format {FORMAT}; take a newer one"
    ))
}

/// What is wrong with a line by itself.
#[derive(Debug)]
pub struct Unsound {
    /// What is wrong.
    pub(super) what: String,
    /// Whether it says to be a checkpoint.
    pub(super) is_checkpoint: bool,
}

impl From<&str> for Unsound {
    fn from(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            is_checkpoint: false,
        }
    }
}

impl Unsound {
    /// The same of the line behind this entry, where the header has told the last one: what comes behind that
    /// can only be its checkpoint.
    pub(super) fn found(self, line: u64, behind: u64, last: u64) -> Found {
        let is_checkpoint = self.is_checkpoint || behind >= last;
        let (seq, what) = if is_checkpoint {
            (behind, format!("its checkpoint: {}", self.what))
        } else {
            (behind + 1, self.what)
        };
        let seq = Some(seq);
        Found { line, seq, what }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::export;

    /// What was exported once has to be verified for years: a change of this file is a new format.
    #[test]
    fn an_export_is_written_as_it_always_was() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit/golden/export.ndjson");
        let text = String::from_utf8(export(7, 3, 2).concat()).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, &text).unwrap();
        }
        assert_eq!(text, include_str!("golden/export.ndjson"));
    }
}
