//! Tells anchors of checkpoints, so that the end of the audit log cannot be cut off unnoticed.
//!
//! What an anchor has is noted durably after it has it: it may hear twice of a checkpoint, and misses none.

use crate::engine::Engine;
use crate::notary::told;
use sopwith_core::audit::Line;
use sopwith_core::failure::Failure;
use sopwith_core::generation::Anchor;
use sopwith_core::name::ResourceName;
use sopwith_core::port::operations::AnchorStatus;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many checkpoints an anchor is told at once.
const AT_ONCE: u32 = 256;
/// How soon an anchor that failed is tried again; the wait doubles with each failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest wait.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);
/// How long a host that ends waits for its anchors.
const END_WITHIN: Duration = Duration::from_secs(5);

/// What is under way to anchors, and what did not work.
#[derive(Default)]
pub(crate) struct Deliveries(Mutex<BTreeMap<ResourceName, Delivery>>);

#[derive(Default)]
struct Delivery {
    is_under_way: bool,
    failures: u32,
    /// The monotonic time of the next try.
    not_before: Duration,
    problem: Option<String>,
}

impl Deliveries {
    fn of_all(&self) -> MutexGuard<'_, BTreeMap<ResourceName, Delivery>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to tell this anchor something; then it is taken to be under way.
    fn begin(&self, name: &ResourceName, now: Duration) -> bool {
        let mut all = self.of_all();
        let delivery = all.entry(name.clone()).or_default();
        let may = !delivery.is_under_way && now >= delivery.not_before;
        delivery.is_under_way |= may;
        may
    }

    fn end(&self, name: &ResourceName, now: Duration, outcome: Result<(), Failure>) {
        let mut all = self.of_all();
        let delivery = all.entry(name.clone()).or_default();
        delivery.is_under_way = false;
        let Err(failure) = outcome else {
            if delivery.problem.is_some() {
                tracing::info!(anchor = %name, "the anchor hears again");
            }
            *delivery = Delivery::default();
            return;
        };
        let problem = told(failure);
        if delivery.problem.as_ref() != Some(&problem) {
            tracing::warn!(anchor = %name, "the anchor cannot be told; it is tried again: {problem}");
        }
        delivery.problem = Some(problem);
        let wait = RETRY_AFTER.saturating_mul(1 << delivery.failures.min(16));
        delivery.not_before = now + wait.min(RETRY_AFTER_MAX);
        delivery.failures += 1;
    }
}

impl Engine {
    /// Begins to tell each anchor that is behind, and waits for none.
    pub(crate) async fn tell_anchors_soon(&self) {
        for (name, anchor) in self.anchors() {
            match self.is_current(&name).await {
                Ok(false) if self.notarial().deliveries.begin(&name, self.clock().monotonic()) => {
                    let engine = self.clone();
                    tokio::spawn(async move {
                        let outcome = engine.tell(&name, &anchor).await;
                        let now = engine.clock().monotonic();
                        engine.notarial().deliveries.end(&name, now, outcome);
                    });
                }
                // That the record cannot be read is told by whoever signs.
                _ => {}
            }
        }
    }

    /// Tells each anchor that is behind, for as long as a host that ends can wait.
    pub(crate) async fn tell_anchors_at_the_end(&self) {
        let telling = async {
            for (name, anchor) in self.anchors() {
                if let Err(failure) = self.tell(&name, &anchor).await {
                    tracing::warn!(anchor = %name, "the anchor cannot be told; the next host does: {}", told(failure));
                }
            }
        };
        tokio::select! {
            () = telling => {}
            () = self.clock().sleep(END_WITHIN) => {
                tracing::warn!("the anchors take long; the next host tells them");
            }
        }
    }

    /// Tells every anchor now, and says how they stand.
    pub(crate) async fn tell_anchors(&self) -> Result<Vec<AnchorStatus>, Failure> {
        for (name, anchor) in self.anchors() {
            let outcome = self.tell(&name, &anchor).await;
            let now = self.clock().monotonic();
            self.notarial().deliveries.end(&name, now, outcome);
        }
        self.anchor_statuses().await
    }

    /// How the anchors stand.
    pub(crate) async fn anchor_statuses(&self) -> Result<Vec<AnchorStatus>, Failure> {
        let anchored = self.audit().anchored().await?;
        let last = self
            .audit()
            .last_checkpoint()
            .await?
            .map(|last| last.statement.seq);
        let deliveries = self.notarial().deliveries.of_all();
        let statuses = self.anchors().into_iter().map(|(name, anchor)| {
            let seq = anchored.get(name.as_str()).copied();
            AnchorStatus {
                seq,
                is_current: last.is_none() || seq >= last,
                problem: deliveries
                    .get(&name)
                    .and_then(|delivery| delivery.problem.clone()),
                name,
                anchor,
            }
        });
        Ok(statuses.collect())
    }

    fn anchors(&self) -> BTreeMap<ResourceName, Anchor> {
        self.generation().host.audit.anchors.clone()
    }

    async fn is_current(&self, name: &ResourceName) -> Result<bool, Failure> {
        let Some(last) = self.audit().last_checkpoint().await? else {
            return Ok(true);
        };
        let anchored = self.audit().anchored().await?;
        Ok(anchored
            .get(name.as_str())
            .is_some_and(|seq| *seq >= last.statement.seq))
    }

    /// Tells an anchor of all checkpoints that it does not have. A new one begins with the newest, which
    /// stands for all before it.
    async fn tell(&self, name: &ResourceName, anchor: &Anchor) -> Result<(), Failure> {
        loop {
            let Some(last) = self.audit().last_checkpoint().await? else {
                return Ok(());
            };
            let anchored = self.audit().anchored().await?.get(name.as_str()).copied();
            let after = anchored.unwrap_or_else(|| last.statement.previous.unwrap_or_default());
            let checkpoints = self.audit().checkpoints(after, AT_ONCE).await?;
            let Some(newest) = checkpoints.last().map(|newest| newest.statement.seq) else {
                return Ok(());
            };
            let lines = checkpoints.into_iter().map(|one| Line::Checkpoint(one).written());
            let resources = self.generation().resources.clone();
            self.notary()
                .send(anchor, &resources, lines.collect::<Vec<_>>().concat())
                .await?;
            self.audit().set_anchored(name.as_str(), newest).await?;
        }
    }
}
