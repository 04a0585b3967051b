//! What goes wrong with the record, and when.

use sopwith_core::port::{StoreError, Stored};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused, and nothing is done.
    Broken,
    /// It is done, and the answer says that it was not.
    AnswerLost,
    /// The host dies before it is done.
    DeathBefore,
    /// The host dies when it is done, before it hears the answer.
    DeathAfter,
    /// The host's own code panics.
    Panic,
}

/// Calls that are to go wrong, and calls that are under way.
#[derive(Default)]
pub(crate) struct Faults {
    plan: Mutex<Plan>,
    calls: AtomicUsize,
    in_flight: AtomicUsize,
    changed: Notify,
}

#[derive(Default)]
struct Plan {
    next: Vec<Planned>,
    held: Vec<(&'static str, Held)>,
    broken: bool,
    dead: bool,
}

/// An answer of the record that is late.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Notify>);

impl Held {
    /// Lets the answer come.
    pub(crate) fn release(&self) {
        self.0.notify_one();
    }
}

struct Planned {
    /// None for any call.
    call: Option<&'static str>,
    skip: usize,
    fault: Fault,
}

impl Faults {
    /// Lets the next call of this name go wrong; of an event's name, its `apply`.
    pub(crate) fn next(&self, call: &'static str, fault: Fault) {
        self.plan(Some(call), 0, fault);
    }

    /// Lets any call go wrong, after so many.
    pub(crate) fn any(&self, skip: usize, fault: Fault) {
        self.plan(None, skip, fault);
    }

    /// Lets the answer to the next call of this name be late: what it says was true before.
    pub(crate) fn hold(&self, call: &'static str) -> Held {
        let held = Held::default();
        self.plan.lock().unwrap().held.push((call, held.clone()));
        held
    }

    fn held(&self, call: &'static str) -> Option<Held> {
        let mut plan = self.plan.lock().unwrap();
        let position = plan.held.iter().position(|(name, _)| *name == call)?;
        Some(plan.held.remove(position).1)
    }

    fn plan(&self, call: Option<&'static str>, skip: usize, fault: Fault) {
        let planned = Planned { call, skip, fault };
        self.plan.lock().unwrap().next.push(planned);
    }

    /// Lets every call be refused, or none any more.
    pub(crate) fn break_all(&self, broken: bool) {
        self.plan.lock().unwrap().broken = broken;
    }

    /// Forgets what was planned.
    pub(crate) fn clear(&self) {
        let mut plan = self.plan.lock().unwrap();
        plan.next.clear();
        plan.broken = false;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.plan.lock().unwrap().dead
    }

    /// How many calls there were so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    fn fault(&self, call: &'static str) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        if plan.dead {
            return Some(Fault::DeathBefore);
        }
        if plan.broken {
            return Some(Fault::Broken);
        }
        let mut matching = plan.next.iter_mut().enumerate();
        let (position, planned) =
            matching.find(|(_, planned)| planned.call.is_none_or(|name| name == call))?;
        if planned.skip > 0 {
            planned.skip -= 1;
            return None;
        }
        let fault = plan.next.remove(position).fault;
        plan.dead |= matches!(fault, Fault::DeathBefore | Fault::DeathAfter);
        Some(fault)
    }

    /// Does work that may go wrong.
    pub(crate) async fn pass<T: Send>(
        &self,
        call: &'static str,
        work: impl Future<Output = Stored<T>> + Send,
    ) -> Stored<T> {
        self.calls.fetch_add(1, SeqCst);
        let broken = || Err(StoreError::Broken("the disk is full".to_owned()));
        let in_flight = InFlight::new(self);
        let fault = self.fault(call);
        match fault {
            None => {
                let answer = work.await;
                if let Some(held) = self.held(call) {
                    drop(in_flight);
                    held.0.notified().await;
                }
                return answer;
            }
            Some(Fault::Broken) => return broken(),
            Some(Fault::Panic) => panic!("the store was told to panic in `{call}`"),
            Some(Fault::AnswerLost) => return work.await.and_then(|_| broken()),
            Some(Fault::DeathAfter) => drop(work.await),
            Some(Fault::DeathBefore) => {}
        }
        drop(in_flight);
        std::future::pending().await
    }

    /// Waits until no call is under way; false when none was.
    pub(crate) async fn drain(&self) -> bool {
        let mut waited = false;
        while self.in_flight.load(SeqCst) > 0 {
            waited = true;
            self.changed.notified().await;
        }
        waited
    }
}

struct InFlight<'a>(&'a Faults);

impl<'a> InFlight<'a> {
    fn new(faults: &'a Faults) -> Self {
        faults.in_flight.fetch_add(1, SeqCst);
        Self(faults)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
        self.0.changed.notify_one();
    }
}
