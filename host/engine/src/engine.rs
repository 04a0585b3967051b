//! What the engine is made of, and how it comes to its end.

use crate::notary::Notarial;
use crate::queue::Queue;
use crate::waiting::Sleepers;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::attempt::CapabilityProvider;
use sopwith_core::generation::Generation;
use sopwith_core::port::{
    AuditLog, Clock, Entropy, Notary, Pause, PauseScope, PluginShelf, SecretKeeper, Store, Stored,
};
use sopwith_core::run::RunId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Checks inputs against a JSON Schema and fills in its defaults; the error is a sentence.
pub type CheckInputs = fn(&Value, Value) -> Result<Value, String>;

/// How many ends of runs may wait to be noticed by a slow listener, who then asks the store.
const ENDS_KEPT: usize = 1024;
/// How long attempts have to come to their end once they were told to: a guest is ended at once,
/// so what takes longer hangs, or cannot be recorded.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(10);

/// What the engine is wired to.
pub struct Parts {
    /// The host's memory.
    pub store: Arc<dyn Store>,
    /// What belongs to the audit log beside its entries.
    pub audit: Arc<dyn AuditLog>,
    /// What signs the audit log, and tells others of it.
    pub notary: Arc<dyn Notary>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What attempts can do.
    pub capabilities: Arc<dyn CapabilityProvider>,
    /// Looks after secrets.
    pub secrets: Arc<dyn SecretKeeper>,
    /// Plugins by digest.
    pub shelf: Arc<dyn PluginShelf>,
    /// What is in force.
    pub generation: watch::Receiver<Arc<Generation>>,
    /// How inputs are checked.
    pub check_inputs: CheckInputs,
}

/// Runs procedures, once it has recovered what the host before it left. Clones are handles to
/// the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    parts: Parts,
    queue: Mutex<Queue>,
    sleepers: Mutex<Sleepers>,
    recovered: AtomicBool,
    /// The pauses as they were read last.
    pauses: Mutex<Arc<[Pause]>>,
    /// Somebody has to look at what ended, or at what is paused.
    attention: Notify,
    stopping: CancellationToken,
    ends: broadcast::Sender<RunId>,
    notarial: Notarial,
    /// When this host came up: ticks before it were nobody's to run in time.
    up_since: Timestamp,
}

impl Engine {
    /// An engine that has nothing to do yet.
    pub fn new(parts: Parts) -> Self {
        let up_since = parts.clock.now();
        Self(Arc::new(Inner {
            parts,
            queue: Mutex::default(),
            sleepers: Mutex::default(),
            recovered: AtomicBool::new(false),
            pauses: Mutex::new(Arc::new([])),
            attention: Notify::new(),
            stopping: CancellationToken::new(),
            ends: broadcast::channel(ENDS_KEPT).0,
            notarial: Notarial::default(),
            up_since,
        }))
    }

    /// The host's memory.
    pub fn store(&self) -> &dyn Store {
        &*self.0.parts.store
    }

    /// What is in force.
    pub fn generation(&self) -> Arc<Generation> {
        self.0.parts.generation.borrow().clone()
    }

    /// Lets attempts that are under way end, and cuts those off that take longer than `grace`.
    /// What was cut off is taken up again by the next host. Nothing starts any more.
    pub async fn shut_down(&self, grace: Duration) {
        {
            // What starts looks at this under the same lock, so that nothing is overlooked below.
            let _queue = self.queue();
            self.0.stopping.cancel();
        }
        if self.all_ended_within(grace).await {
            return;
        }
        self.queue().interrupt_all();
        if !self.all_ended_within(CUT_OFF_WITHIN).await {
            let runs = self.queue().running();
            tracing::error!(
                runs,
                "attempts that were told to end did not; the next host takes them up"
            );
        }
    }

    async fn all_ended_within(&self, time: Duration) -> bool {
        let mut ends = self.ends();
        let all_ended = async {
            while self.queue().running() > 0 {
                // A listener that fell behind has missed ends and simply looks again.
                let _ = ends.recv().await;
            }
        };
        tokio::select! {
            biased;
            () = all_ended => true,
            () = self.clock().sleep(time) => false,
        }
    }

    pub(crate) fn audit(&self) -> &dyn AuditLog {
        &*self.0.parts.audit
    }

    pub(crate) fn notary(&self) -> &dyn Notary {
        &*self.0.parts.notary
    }

    pub(crate) fn notarial(&self) -> &Notarial {
        &self.0.notarial
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.parts.clock
    }

    pub(crate) fn capabilities(&self) -> &dyn CapabilityProvider {
        &*self.0.parts.capabilities
    }

    pub(crate) fn secrets(&self) -> &dyn SecretKeeper {
        &*self.0.parts.secrets
    }

    pub(crate) fn shelf(&self) -> &dyn PluginShelf {
        &*self.0.parts.shelf
    }

    pub(crate) fn generations(&self) -> watch::Receiver<Arc<Generation>> {
        self.0.parts.generation.clone()
    }

    pub(crate) fn check_inputs(&self) -> CheckInputs {
        self.0.parts.check_inputs
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub(crate) fn up_since(&self) -> Timestamp {
        self.0.up_since
    }

    pub(crate) fn random(&self) -> u128 {
        self.0.parts.entropy.random()
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// Whether runs may start: not before those are known that were cut off, not at the end, and not while
    /// the whole host is paused.
    pub(crate) fn may_start(&self) -> bool {
        let is_frozen = self.pauses().iter().any(|pause| pause.scope == PauseScope::HOST);
        self.0.recovered.load(Ordering::SeqCst) && !self.is_stopping() && !is_frozen
    }

    /// The pauses as they were read last.
    pub(crate) fn pauses(&self) -> Arc<[Pause]> {
        let pauses = self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&pauses)
    }

    /// Reads the pauses anew.
    pub(crate) async fn read_pauses(&self) -> Stored<Arc<[Pause]>> {
        let read: Arc<[Pause]> = self.store().pauses().await?.into();
        let mut pauses = self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        *pauses = Arc::clone(&read);
        Ok(read)
    }

    /// Makes whoever claims ticks look at what has changed.
    pub(crate) fn call_attention(&self) {
        self.0.attention.notify_one();
    }

    /// Waits until somebody calls.
    pub(crate) async fn attention(&self) {
        self.0.attention.notified().await;
    }

    pub(crate) fn has_recovered(&self) {
        self.0.recovered.store(true, Ordering::SeqCst);
    }

    /// The ids of runs as their attempts end, from now on.
    pub(crate) fn ends(&self) -> broadcast::Receiver<RunId> {
        self.0.ends.subscribe()
    }

    pub(crate) fn tell_end(&self, id: RunId) {
        // Nobody may be listening.
        let _ = self.0.ends.send(id);
    }

    /// A task that panicked while it held this lock left whole data behind: each change is a
    /// single insertion or removal.
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each change of it, too, is a single insertion or removal.
    pub(crate) fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
