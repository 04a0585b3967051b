//! Signs checkpoints of the audit log.

use crate::anchoring::Deliveries;
use crate::engine::Engine;
use sopwith_core::audit::{AuditHead, CHECKPOINT_EVERY, Checkpoint, FORMAT, Signed, checkpoint_due};
use sopwith_core::failure::Failure;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often is looked for entries that are old enough to be retired.
const RETIRE_EVERY: Duration = Duration::from_mins(1);

/// What those who look after the audit log share.
#[derive(Default)]
pub(crate) struct Notarial {
    /// One signs at a time, since each checkpoint names the one before it.
    signing: tokio::sync::Mutex<()>,
    problem: Mutex<Option<String>>,
    pub(crate) deliveries: Deliveries,
}

impl Notarial {
    /// Why the log could not be looked after the last time.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes a problem; what is news is logged.
    fn note(&self, problem: Option<String>) {
        let mut noted = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = problem.as_ref().filter(|problem| noted.as_ref() != Some(problem)) {
            tracing::error!("{problem}");
        }
        *noted = problem;
    }
}

/// Which entries are to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Those that have waited long enough.
    Due,
    /// All.
    All,
}

impl Engine {
    /// Looks after the audit log until told to stop: signs it, tells anchors, and retires what is old. All
    /// of it is signed at the end.
    pub async fn keep_audit_log(&self, stop: CancellationToken) {
        let mut retired_at = None;
        while !stop.is_cancelled() {
            let now = self.clock().monotonic();
            let mut kept = self.look_for_key().await;
            if kept.is_ok() {
                kept = self.sign(Sign::Due).await;
            }
            if kept.is_ok() && retired_at.is_none_or(|at| now >= at + RETIRE_EVERY) {
                kept = self.retire_old_entries(&stop).await;
                retired_at = kept.is_ok().then_some(now);
            }
            self.notarial().note(kept.err().map(told));
            self.tell_anchors_soon().await;
            tokio::select! {
                () = self.clock().sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
        let kept = self.sign(Sign::All).await;
        self.notarial().note(kept.err().map(told));
        self.tell_anchors_at_the_end().await;
    }

    /// Signs what is due, where there is a key to sign with: for a command that was the host for a while.
    pub async fn sign_what_is_due(&self) {
        if matches!(self.notary().public_key(), Ok(Some(_)))
            && let Err(failure) = self.sign(Sign::Due).await
        {
            tracing::warn!("{}", told(failure));
        }
    }

    /// Signs entries that are not signed yet, as many as are due.
    pub(crate) async fn sign(&self, which: Sign) -> Result<(), Failure> {
        let _alone = self.notarial().signing.lock().await;
        let mut last = self.audit().last_checkpoint().await?.map(|last| last.statement);
        loop {
            let signed = last.map_or(0, |last| last.seq);
            let head = self.store().audit_head().await?.seq;
            if head <= signed {
                return Ok(());
            }
            let Some(seq) = self.next_to_sign(which, signed, head).await? else {
                return Ok(());
            };
            last = Some(self.sign_one(last, seq).await?);
        }
    }

    /// Whether there is a key is told before there is something to sign.
    async fn look_for_key(&self) -> Result<(), Failure> {
        let last = self.audit().last_checkpoint().await?;
        self.notary().signer(last.is_none()).await.map(drop)
    }

    async fn next_to_sign(&self, which: Sign, signed: u64, head: u64) -> Result<Option<u64>, Failure> {
        if which == Sign::All {
            return Ok(Some(head.min(signed + CHECKPOINT_EVERY)));
        }
        let oldest = self.store().audit_entries(signed, 1).await?;
        let due = |oldest| checkpoint_due(signed, head, oldest, self.now());
        Ok(oldest.first().and_then(|oldest| due(oldest.entry.at)))
    }

    /// Signs the entry of this number, once the chain was followed to it from what was signed last.
    async fn sign_one(&self, last: Option<Checkpoint>, seq: u64) -> Result<Checkpoint, Failure> {
        let mut head = last.map_or_else(AuditHead::default, |last| last.head());
        while head.seq < seq {
            let limit = u32::try_from(seq - head.seq).unwrap_or(u32::MAX);
            let entries = self.store().audit_entries(head.seq, limit).await?;
            for kept in &entries {
                head = head.follow(kept).map_err(|broken| {
                    Failure::host(format!("the audit log is not signed any more, since {broken}")).hint(
                        "`sopwith audit verify` looks at all of it; bring `history.db` back from a copy",
                    )
                })?;
            }
            if entries.is_empty() {
                return Err(Failure::host("the audit log ends before an entry that it had"));
            }
        }
        let signer = self.notary().signer(last.is_none()).await?;
        let checkpoint = Checkpoint {
            at: self.now(),
            format: FORMAT,
            hash: head.hash,
            key: signer.public_key(),
            previous: last.map(|last| last.seq),
            seq,
        };
        self.audit()
            .add_checkpoint(Signed::new(checkpoint, &*signer))
            .await?;
        Ok(checkpoint)
    }
}

/// A failure with what would mend it.
pub(crate) fn told(failure: Failure) -> String {
    match failure.hint {
        Some(hint) => format!("{}; {hint}", failure.message),
        None => failure.message,
    }
}
