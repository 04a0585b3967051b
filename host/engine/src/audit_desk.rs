//! Answers what people and programs ask of the audit log.

use crate::desk::{Desk, not_found};
use crate::notary::Sign;
use async_trait::async_trait;
use serde_json::{Value, json};
use sopwith_core::audit::{
    AuditEntry, AuditHead, AuditRecord, BrokenChain, Checkpoint, FORMAT, Follower, Header, KeptEntry,
    PublicKey, Redaction, Signed, Signer, Tombstone,
};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::AuditFilter;
use sopwith_core::port::operations::{
    AnchorStatus, AuditExport, AuditOperations, AuditPage, AuditStatus, AuditVerdict, ExportRange,
};
use sopwith_core::role::Role;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Entries that one answer has at most.
const PAGE: u32 = 5_000;
/// What says of a redaction stays.
const REDACTED: &str = "audit.redacted";

#[async_trait]
impl AuditOperations for Desk {
    async fn verify_audit(&self, known: Vec<PublicKey>) -> Result<AuditVerdict, Failure> {
        self.require(Role::Auditor)?;
        let (mut follower, mut signers, mut broken);
        loop {
            (follower, signers) = (Follower::new(AuditHead::default()), BTreeSet::new());
            let tombstones = self.engine.audit().tombstones(0).await?;
            let outcome = self.follow(&mut follower, &mut signers, &tombstones).await?;
            broken = outcome.err().map(|broken| broken.to_string());
            // What was retired meanwhile is not missing.
            if broken.is_none() || self.engine.audit().tombstones(0).await? == tombstones {
                break;
            }
        }
        let own = self.engine.notary().public_key().ok().flatten();
        signers.retain(|key| Some(*key) != own && !known.contains(key));
        let head = follower.head();
        Ok(AuditVerdict {
            entries: head.seq,
            head: head.hash,
            broken,
            retired: follower.retired(),
            redacted: follower.redacted(),
            signed: follower.signed(),
            unknown_keys: signers.into_iter().collect(),
        })
    }

    async fn audit_entries(&self, filter: AuditFilter) -> Result<Vec<KeptEntry>, Failure> {
        self.require(Role::Auditor)?;
        Ok(self.engine.audit().find_entries(&filter).await?)
    }

    async fn audit_page(&self, after: u64) -> Result<AuditPage, Failure> {
        self.require(Role::Auditor)?;
        let entries = self.engine.store().audit_entries(after, PAGE).await?;
        let mut checkpoints = self.engine.audit().checkpoints(after, PAGE).await?;
        let last = entries.last().map_or(0, |kept| kept.entry.seq);
        checkpoints.retain(|checkpoint| checkpoint.statement.seq <= last);
        Ok(AuditPage { entries, checkpoints })
    }

    async fn export_audit(&self, range: ExportRange) -> Result<AuditExport, Failure> {
        self.require(Role::Auditor)?;
        // Before anything else, so that who has no key to sign with learns it before it is on record.
        let signer = self.signer().await?;
        self.record("audit.exported", "audit".to_owned(), json!(range))
            .await?;
        self.engine.sign(Sign::All).await?;
        let Extent {
            first,
            last,
            to_the_end,
            tombstones,
        } = self.extent(&range).await?;
        let ends = self.kept(last).await?;
        let previous = match tombstones.first() {
            Some(tombstone) => tombstone.statement.previous,
            None => self.kept(first).await?.entry.previous,
        };
        let gone = tombstones.last().map_or(0, |tombstone| tombstone.statement.last);
        let header = Header {
            at: self.engine.now(),
            checkpoint: self.last_checkpoint_within(gone.max(first - 1), last).await?,
            first,
            format: FORMAT,
            key: signer.public_key(),
            last,
            last_hash: ends.hash,
            previous,
            sopwith: env!("CARGO_PKG_VERSION").to_owned(),
            to_the_end,
        };
        Ok(AuditExport {
            header: Signed::new(header, &*signer),
            tombstones,
        })
    }

    async fn redact_audit(&self, seq: u64, reason: String) -> Result<AuditEntry, Failure> {
        self.require(Role::Admin)?;
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(refused("a redaction needs a reason").hint("say why:  --reason \"…\""));
        }
        let kept = self.kept(seq).await?;
        if kept.entry.action == REDACTED {
            return Err(refused(format!(
                "entry {seq} says why another one was redacted, and stays"
            )));
        }
        if kept.redaction.is_some() {
            return Err(refused(format!("entry {seq} is redacted already")));
        }
        let signer = self.signer().await?;
        let payload_digest = kept.entry.payload_digest;
        let redaction = Redaction {
            actor: self.actor.clone(),
            at: self.engine.now(),
            key: signer.public_key(),
            payload_digest,
            reason: reason.clone(),
            seq,
        };
        let record = AuditRecord {
            at: redaction.at,
            actor: self.actor.clone(),
            action: REDACTED.to_owned(),
            object: format!("audit:{seq}"),
            revision: None,
            payload: json!({ "payload_digest": payload_digest, "reason": reason, "seq": seq }),
        };
        let redaction = Signed::new(redaction, &*signer);
        Ok(self.engine.audit().redact(redaction, record).await?)
    }

    async fn anchor_audit(&self) -> Result<Vec<AnchorStatus>, Failure> {
        self.require(Role::Auditor)?;
        if self.engine.generation().host.audit.anchors.is_empty() {
            return Err(refused("sopwith.toml names no anchor")
                .hint("name one:  [audit.anchors.other-disk]  file = \"/mnt/other/sopwith-audit.ndjson\""));
        }
        self.record("audit.anchored", "audit".to_owned(), Value::Null)
            .await?;
        self.engine.sign(Sign::All).await?;
        self.engine.tell_anchors().await
    }

    async fn audit_status(&self) -> Result<AuditStatus, Failure> {
        self.require(Role::Viewer)?;
        let (key, no_key) = match self.engine.notary().public_key() {
            Ok(key) => (key, None),
            Err(failure) => (None, Some(failure.message)),
        };
        let checkpoint = self.engine.audit().last_checkpoint().await?;
        Ok(AuditStatus {
            key,
            last: self.engine.store().audit_head().await?.seq,
            checkpoint: checkpoint.map(|signed| signed.statement),
            problem: self.engine.notarial().problem().or(no_key),
            anchors: self.engine.anchor_statuses().await?,
        })
    }
}

/// What an export goes over.
struct Extent {
    first: u64,
    last: u64,
    to_the_end: bool,
    tombstones: Vec<Signed<Tombstone>>,
}

impl Desk {
    /// Follows tombstones, entries and checkpoints; says which entry is the first bad one.
    async fn follow(
        &self,
        follower: &mut Follower,
        signers: &mut BTreeSet<PublicKey>,
        tombstones: &[Signed<Tombstone>],
    ) -> Result<Result<(), BrokenChain>, Failure> {
        for tombstone in tombstones {
            signers.insert(tombstone.statement.key);
            let outcome = if tombstone.holds() {
                follower.tombstone(&tombstone.statement)
            } else {
                Err(unsigned(
                    tombstone.statement.first,
                    "the tombstone that stands for it",
                ))
            };
            if outcome.is_err() {
                return Ok(outcome);
            }
        }
        loop {
            let AuditPage { entries, checkpoints } = self.audit_page(follower.head().seq).await?;
            if entries.is_empty() {
                return Ok(Ok(()));
            }
            let mut checkpoints = checkpoints.into_iter().peekable();
            for kept in &entries {
                signers.extend(kept.redaction.as_ref().map(|redaction| redaction.statement.key));
                if let Err(broken) = follower.entry(kept) {
                    return Ok(Err(broken));
                }
                // One whose entry is missing is found out of place after the next.
                while let Some(checkpoint) = checkpoints.next_if(|one| one.statement.seq <= kept.entry.seq) {
                    if let Err(broken) = check(follower, signers, &checkpoint) {
                        return Ok(Err(broken));
                    }
                }
            }
        }
    }

    async fn signer(&self) -> Result<Arc<dyn Signer>, Failure> {
        let has_signed = self.engine.audit().last_checkpoint().await?.is_some();
        self.engine.notary().signer(!has_signed).await
    }

    /// Works out what an export goes over.
    async fn extent(&self, range: &ExportRange) -> Result<Extent, Failure> {
        let head = self.engine.store().audit_head().await?.seq;
        let none = || refused("there is no entry in this range");
        let (mut first, mut last) = (range.from.unwrap_or(1).max(1), range.to.unwrap_or(head).min(head));
        if range.since.is_some() || range.until.is_some() {
            let between = self
                .engine
                .audit()
                .entries_between(range.since, range.until)
                .await?;
            let (from, to) = between.ok_or_else(none)?;
            (first, last) = (first.max(from), last.min(to));
        }
        if first > last {
            return Err(none());
        }
        let tombstones = self.engine.audit().tombstones(first - 1).await?;
        if let Some(newest) = tombstones.last().map(|tombstone| tombstone.statement.last)
            && newest >= last
        {
            return Err(refused(format!("the entries up to {newest} were retired")));
        }
        first = tombstones
            .first()
            .map_or(first, |tombstone| tombstone.statement.first);
        Ok(Extent {
            first,
            last,
            to_the_end: last == head,
            tombstones,
        })
    }

    async fn last_checkpoint_within(&self, mut after: u64, last: u64) -> Result<Option<u64>, Failure> {
        let mut found = None;
        loop {
            let page = self.engine.audit().checkpoints(after, PAGE).await?;
            let within = page
                .iter()
                .map(|one| one.statement.seq)
                .take_while(|seq| *seq <= last);
            let (count, newest) = within.fold((0, None), |(count, _), seq| (count + 1, Some(seq)));
            found = newest.or(found);
            match newest {
                Some(newest) if count == page.len() => after = newest,
                _ => return Ok(found),
            }
        }
    }

    /// The entry of this number.
    async fn kept(&self, seq: u64) -> Result<KeptEntry, Failure> {
        let found = self
            .engine
            .store()
            .audit_entries(seq.saturating_sub(1), 1)
            .await?;
        let found = found.into_iter().find(|kept| kept.entry.seq == seq);
        found.ok_or_else(|| {
            not_found(format!("there is no entry {seq}")).hint("`sopwith audit list` lists them")
        })
    }

    async fn record(&self, action: &str, object: String, payload: Value) -> Result<AuditEntry, Failure> {
        let record = AuditRecord {
            at: self.engine.now(),
            actor: self.actor.clone(),
            action: action.to_owned(),
            object,
            revision: None,
            payload,
        };
        Ok(self.engine.store().audit(record).await?)
    }
}

fn check(
    follower: &mut Follower,
    signers: &mut BTreeSet<PublicKey>,
    checkpoint: &Signed<Checkpoint>,
) -> Result<(), BrokenChain> {
    signers.insert(checkpoint.statement.key);
    if !checkpoint.holds() {
        return Err(unsigned(checkpoint.statement.seq, "its checkpoint"));
    }
    follower.checkpoint(&checkpoint.statement)
}

fn unsigned(seq: u64, what: &str) -> BrokenChain {
    BrokenChain {
        seq,
        what: format!("{what} is not signed by the key that it names: it was changed"),
    }
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Invalid, Blame::Operator, message)
}
