//! Retires entries of the audit log that were kept long enough.

use crate::engine::Engine;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::{AuditRecord, Signed, Tombstone};
use sopwith_core::failure::Failure;
use sopwith_core::port::OldEntries;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many entries are removed in one transaction, so that nobody who writes waits for long.
const SEGMENT: u32 = 256;

/// Fewer entries are only worth a tombstone once they are a hundredth older than they have to be.
const SLACK: u32 = 100;

impl Engine {
    /// Removes what is old enough, one segment after another, each with its tombstone.
    pub(crate) async fn retire_old_entries(&self, stop: &CancellationToken) -> Result<(), Failure> {
        while !stop.is_cancelled() {
            let keep = self.generation().host.audit.keep;
            let now = self.now();
            let Some(signed) = self.audit().last_checkpoint().await? else {
                return Ok(());
            };
            let before = now
                .saturating_sub(signed_duration(keep))
                .unwrap_or(Timestamp::MIN);
            // What the newest checkpoint is of stays, so that the next one can name it.
            let old = self
                .audit()
                .old_entries(before, signed.statement.seq, SEGMENT)
                .await?;
            let Some(old) = old.filter(|old| is_worth_it(old, before, keep)) else {
                return Ok(());
            };
            self.retire(&old, now, keep).await?;
        }
        Ok(())
    }

    async fn retire(&self, old: &OldEntries, now: Timestamp, keep: Duration) -> Result<(), Failure> {
        let signer = self.notary().signer(false).await?;
        let tombstone = Tombstone {
            at: now,
            count: old.count(),
            first: old.first,
            from: old.from,
            hash: old.hash,
            key: signer.public_key(),
            last: old.last,
            previous: old.previous,
            to: old.to,
        };
        let record = AuditRecord {
            at: now,
            actor: Actor::Host,
            action: "audit.retired".to_owned(),
            object: format!("audit:{}-{}", old.first, old.last),
            revision: None,
            payload: json!({ "count": old.count(), "from": old.from, "to": old.to, "kept_seconds": keep.as_secs() }),
        };
        Ok(self
            .audit()
            .retire(Signed::new(tombstone, &*signer), record)
            .await?)
    }
}

fn is_worth_it(old: &OldEntries, before: Timestamp, keep: Duration) -> bool {
    let overdue = Duration::try_from(old.from.duration_until(before)).unwrap_or_default();
    old.count() >= u64::from(SEGMENT) || overdue >= keep / SLACK
}

fn signed_duration(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
