//! Verifies an export: each line by itself, which many can do at once, and then one after another.

use super::chain::{CHANGED, PAYLOAD_CHANGED, check_redaction, hash_of};
use super::export::{Unsound, assembled, check_format};
use super::{
    AuditHead, BrokenChain, Checkpoint, Follower, Header, Line, PublicKey, Redaction, Signed, Statement,
    Tombstone, canonical,
};
use crate::digest::Digest;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// The keys whose signatures count.
#[derive(Debug, Clone)]
pub enum Trust {
    /// These.
    Keys(BTreeSet<PublicKey>),
    /// Whatever key a statement names: for who has just read it from the host itself.
    Any,
}

impl Trust {
    fn check<S: Statement>(&self, signed: &Signed<S>) -> Result<(), String> {
        let key = signed.statement.key();
        if let Self::Keys(keys) = self
            && !keys.contains(&key)
        {
            return Err(format!(
                "it is signed with {key}, which is not a key that was named"
            ));
        }
        if !signed.holds() {
            return Err("its signature is not of what it says: it was changed".to_owned());
        }
        Ok(())
    }
}

/// A line that is sound in itself.
#[derive(Debug)]
pub enum Checked {
    /// The header.
    Header(Header),
    /// A tombstone.
    Tombstone(Tombstone),
    /// A checkpoint.
    Checkpoint(Checkpoint),
    /// An entry whose bytes have this hash, and whose payload has the digest that it names.
    Entry {
        /// Its number.
        seq: u64,
        /// The hash that it carries of the entry before it.
        previous: Digest,
        /// Its own hash.
        hash: Digest,
        /// The key that signed the redaction of its payload.
        redacted: Option<PublicKey>,
    },
}

impl Checked {
    /// The key that signed it.
    fn key(&self) -> Option<PublicKey> {
        match self {
            Self::Header(header) => Some(header.key),
            Self::Tombstone(tombstone) => Some(tombstone.key),
            Self::Checkpoint(checkpoint) => Some(checkpoint.key),
            Self::Entry { redacted, .. } => *redacted,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine<'a> {
    #[serde(borrow)]
    entry: &'a RawValue,
    hash: Digest,
    #[serde(borrow, default, deserialize_with = "also_null")]
    payload: Option<&'a RawValue>,
    redacted: Option<Signed<Redaction>>,
}

/// `null` is a payload, too.
fn also_null<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// What of an entry links it to the others.
#[derive(Deserialize)]
struct Links {
    seq: u64,
    previous: Digest,
    payload_digest: Digest,
}

/// Checks a line, without its end, as far as it can be checked by itself.
pub fn check_line(line: &[u8], trust: &Trust) -> Result<Checked, Unsound> {
    let is_checkpoint = line.starts_with(b"{\"checkpoint\":");
    check(line, trust).map_err(|what| Unsound { what, is_checkpoint })
}

fn check(line: &[u8], trust: &Trust) -> Result<Checked, String> {
    if line.starts_with(b"{\"entry\":") {
        return check_entry(line, trust);
    }
    let read: Line = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
    if canonical(&read) != line {
        return Err(NOT_CANONICAL.to_owned());
    }
    match read {
        Line::Header(signed) => {
            trust.check(&signed)?;
            check_format(signed.statement.format)?;
            Ok(Checked::Header(signed.statement))
        }
        Line::Tombstone(signed) => {
            trust.check(&signed)?;
            Ok(Checked::Tombstone(signed.statement))
        }
        Line::Checkpoint(signed) => {
            trust.check(&signed)?;
            check_format(signed.statement.format)?;
            Ok(Checked::Checkpoint(signed.statement))
        }
    }
}

const NOT_CANONICAL: &str = "it is not written as the host writes it (canonical JSON)";

fn unreadable(error: &serde_json::Error) -> String {
    format!("it is no line of an export: {error}")
}

fn check_entry(line: &[u8], trust: &Trust) -> Result<Checked, String> {
    let read: EntryLine<'_> = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
    let entry = read.entry.get().as_bytes();
    if hash_of(entry) != read.hash {
        return Err(CHANGED.to_owned());
    }
    let links: Links = serde_json::from_slice(entry).map_err(|error| unreadable(&error))?;
    let assembled = match (read.payload, &read.redacted) {
        (Some(payload), None) => {
            let payload = payload.get().as_bytes();
            if Digest::of(payload) != links.payload_digest {
                return Err(PAYLOAD_CHANGED.to_owned());
            }
            assembled(entry, read.hash, b"payload", payload)
        }
        (None, Some(redaction)) => {
            check_redaction(redaction, links.seq, links.payload_digest)?;
            trust.check(redaction)?;
            assembled(entry, read.hash, b"redacted", &canonical(redaction))
        }
        _ => return Err("it has to have either a payload or a redaction".to_owned()),
    };
    // The hashes are over the bytes of the parts; this is over all between them.
    if assembled != line {
        return Err(NOT_CANONICAL.to_owned());
    }
    Ok(Checked::Entry {
        seq: links.seq,
        previous: links.previous,
        hash: read.hash,
        redacted: read.redacted.map(|redaction| redaction.statement.key),
    })
}

/// The first thing that is wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The number of the line, from 1; one after the last where something is missing at the end.
    pub line: u64,
    /// The entry that it is, or that should stand there; none for the header.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(seq) = self.seq {
            write!(f, ", entry {seq}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Checkpoints that were kept elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Anchors(BTreeMap<u64, Checkpoint>);

impl Anchors {
    /// Reads what was sent to an anchor: a checkpoint a line.
    pub fn read(text: &[u8], trust: &Trust) -> Result<Self, Found> {
        let mut anchors = BTreeMap::new();
        for (line, number) in text.split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let found = |what: String| Found {
                line: number,
                seq: None,
                what,
            };
            let bytes = line.strip_suffix(b"\n");
            let bytes = bytes.ok_or_else(|| found("it has no end: it was cut off".to_owned()))?;
            let Checked::Checkpoint(checkpoint) =
                check_line(bytes, trust).map_err(|unsound| found(unsound.what))?
            else {
                return Err(found("an anchor has checkpoints alone".to_owned()));
            };
            let before = anchors.insert(checkpoint.seq, checkpoint);
            if before.is_some_and(|before: Checkpoint| before.hash != checkpoint.hash) {
                let what = format!(
                    "entry {} has another hash than on a line before: there are two logs",
                    checkpoint.seq
                );
                return Err(found(what));
            }
        }
        Ok(Self(anchors))
    }
}

/// What a sound export is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What it says of itself.
    pub header: Header,
    /// How many entries are in it.
    pub entries: u64,
    /// How many of those have no payload any more.
    pub redacted: u64,
    /// For how many entries more a tombstone stands.
    pub retired: u64,
    /// How many checkpoints are in it.
    pub checkpoints: u64,
    /// How many checkpoints of the anchor it agrees with.
    pub anchored: u64,
    /// All keys that signed something in it.
    pub keys: BTreeSet<PublicKey>,
}

/// Takes the checked lines of an export in their order.
#[derive(Clone)]
pub struct ExportVerifier {
    line: u64,
    begun: Option<(Header, Follower)>,
    anchors: Anchors,
    anchored: u64,
    keys: BTreeSet<PublicKey>,
}

impl ExportVerifier {
    /// Before the first line.
    pub fn new(anchors: Anchors) -> Self {
        Self {
            line: 0,
            begun: None,
            anchors,
            anchored: 0,
            keys: BTreeSet::new(),
        }
    }

    /// Takes the next line, or what is wrong with it.
    pub fn take(&mut self, checked: Result<Checked, Unsound>) -> Result<(), Found> {
        self.line += 1;
        let Some((header, follower)) = &mut self.begun else {
            let (header, follower) = begin(checked)?;
            self.keys.insert(header.key);
            self.begun = Some((header, follower));
            return Ok(());
        };
        let head = follower.head();
        let line = self.line;
        let found = |broken: BrokenChain| Found {
            line,
            seq: Some(broken.seq),
            what: broken.what,
        };
        let expected = |what: String| found(head.broken(what));
        let checked = checked.map_err(|unsound| unsound.found(line, head.seq, header.last))?;
        self.keys.extend(checked.key());
        match checked {
            Checked::Header(_) => return Err(expected("a second header stands in its place".to_owned())),
            Checked::Tombstone(tombstone) => follower.tombstone(&tombstone).map_err(found)?,
            Checked::Checkpoint(checkpoint) => return follower.checkpoint(&checkpoint).map_err(found),
            Checked::Entry {
                seq,
                previous,
                hash,
                redacted,
            } => {
                if seq > header.last {
                    return Err(expected(format!(
                        "the header says that entry {} is the last",
                        header.last
                    )));
                }
                let is_redacted = redacted.is_some();
                follower.link(seq, previous, hash, is_redacted).map_err(found)?;
            }
        }
        let AuditHead { seq, hash } = follower.head();
        if let Some(anchor) = self.anchors.0.get(&seq) {
            if anchor.hash != hash {
                let what = format!(
                    "the anchor of {} has another hash for it: the log was rewritten",
                    anchor.at
                );
                return Err(found(BrokenChain { seq, what }));
            }
            self.anchored += 1;
        }
        Ok(())
    }

    /// The end of the file.
    pub fn finish(self) -> Result<Summary, Found> {
        let line = self.line + 1;
        let Some((header, follower)) = self.begun else {
            let what = "the file is empty".to_owned();
            return Err(Found {
                line,
                seq: None,
                what,
            });
        };
        let AuditHead { seq, hash } = follower.head();
        let missing = |seq, what| {
            Err(Found {
                line,
                seq: Some(seq),
                what,
            })
        };
        if seq < header.last {
            let what = format!(
                "the file ends before it, and has to go on to entry {}: it was cut off",
                header.last
            );
            return missing(seq + 1, what);
        }
        if follower.signed() != header.checkpoint {
            let signed = header.checkpoint.unwrap_or_default();
            return missing(
                signed,
                format!("the checkpoint of entry {signed} is missing: the file was cut off"),
            );
        }
        if hash != header.last_hash {
            return missing(
                seq,
                "it is not the entry that the header has signed as the last".to_owned(),
            );
        }
        let later = self.anchors.0.range(seq + 1..).next();
        if let Some((anchored, anchor)) =
            later.filter(|(_, anchor)| header.to_the_end && anchor.at <= header.at)
        {
            let what = format!(
                "the anchor of {} goes on to entry {anchored}, and the log ended before that when it was exported later: its end was cut off",
                anchor.at
            );
            return missing(seq + 1, what);
        }
        Ok(Summary {
            entries: follower.entries(),
            redacted: follower.redacted(),
            retired: follower.retired(),
            checkpoints: follower.checkpoints(),
            anchored: self.anchored,
            keys: self.keys,
            header,
        })
    }
}

fn begin(checked: Result<Checked, Unsound>) -> Result<(Header, Follower), Found> {
    let found = |what| Found {
        line: 1,
        seq: None,
        what,
    };
    let Checked::Header(header) = checked.map_err(|unsound| found(unsound.what))? else {
        return Err(found("the header is missing".to_owned()));
    };
    let before = AuditHead {
        seq: header.first.saturating_sub(1),
        hash: header.previous,
    };
    Ok((header, Follower::new(before)))
}
