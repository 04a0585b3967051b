//! The one way to an effect: decides the grant, records the intent, and watches the time.

use crate::masking;
use crate::meter::Meter;
use crate::record::Record;
use crate::redaction::{Mask, Redactor};
use crate::stop::Stop;
use sopwith_core::attempt::Attempt;
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Basis, Uses, Wanted, decide};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{Clock, Store};
use sopwith_core::run::{SUSPENSIONS_MAX, Wait};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Denials that are recorded; a plugin that asks for more different things only floods.
const DENIALS_MAX: usize = 256;
/// A name of a resource or an origin is never longer.
const WANTED_BYTES_MAX: usize = 1024;

/// How long what is under way may take to end once the attempt has; it asks the watch in between.
const END_MAX: Duration = Duration::from_secs(30);

/// What a change may do now that it is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proceed {
    /// Happen.
    Really,
    /// Only look as if it had happened.
    DryRun,
}

/// Stands between the calls of one attempt and the world.
pub(crate) struct Gate {
    attempt: Attempt,
    record: Record,
    clock: Arc<dyn Clock>,
    denied: Mutex<BTreeSet<String>>,
    uses: Mutex<Uses>,
    meter: Meter,
    under_way: TaskTracker,
    suspension: Mutex<Option<Wait>>,
}

impl Gate {
    pub(crate) fn new(
        attempt: Attempt,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            record: Record::new(
                &attempt.run,
                attempt.limits.calls,
                store,
                Arc::clone(&clock),
                redactor,
            ),
            attempt,
            clock,
            denied: Mutex::default(),
            uses: Mutex::default(),
            meter: Meter::default(),
            under_way: TaskTracker::new(),
            suspension: Mutex::default(),
        }
    }

    /// Decides whether this may be done by a function of the contract; a use is counted, a denial
    /// is recorded.
    pub(crate) fn allow(&self, wanted: &Wanted, call: &str) -> Answer<()> {
        if let Wanted::Named { name, .. } = wanted
            && name.len() > WANTED_BYTES_MAX
        {
            let bytes = name.len();
            return Err(Failure::invalid(format!(
                "the name of a resource has {bytes} bytes"
            )));
        }
        let text = wanted.to_string();
        if text.len() > WANTED_BYTES_MAX {
            let bytes = text.len();
            return Err(Failure::invalid(format!(
                "the name of a resource has {bytes} bytes"
            )));
        }
        match decide(wanted, self.basis()) {
            Ok(granted) => {
                self.uses().add(granted, call);
                Ok(())
            }
            Err(denial) => {
                let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
                if denied.len() < DENIALS_MAX && denied.insert(text) {
                    self.record.soon(Note::Denied(denial.clone()));
                }
                Err(denial.into())
            }
        }
    }

    /// Which grants were used since the last time, for the record.
    pub(crate) fn used(&self) -> Option<Note> {
        let uses = self.uses().take();
        (!uses.is_empty()).then_some(Note::Used { uses })
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this might be done; nobody is refused anything, so nothing is recorded.
    pub(crate) fn would_allow(&self, wanted: &Wanted) -> bool {
        decide(wanted, self.basis()).is_ok()
    }

    fn basis(&self) -> Basis<'_> {
        Basis {
            declared: &self.attempt.declared,
            grants: &self.attempt.grants,
            section: &self.attempt.grant_section,
            resources: &self.attempt.resources,
        }
    }

    /// Puts the intent of a change on record, durably, before it happens. In a dry run it is
    /// listed as planned, and the caller changes nothing.
    pub(crate) async fn change(&self, call: &str, object: &str) -> Answer<Proceed> {
        let (call, object) = (call.to_owned(), object.to_owned());
        if self.dry_run() {
            self.record.durably(Note::Planned { call, object }).await?;
            return Ok(Proceed::DryRun);
        }
        self.record.durably(Note::Change { call, object }).await?;
        Ok(Proceed::Really)
    }

    /// Puts on record what became of a change that did not happen, and hands the answer on.
    pub(crate) fn changed<T>(&self, call: &str, object: &str, answer: Answer<T>) -> Answer<T> {
        if let Err(failure) = &answer {
            self.record.soon(Note::ChangeFailed {
                call: call.to_owned(),
                object: object.to_owned(),
                failure: failure.clone(),
            });
        }
        answer
    }

    /// Carries out a future until the attempt is cancelled or its time is up; why it did not do
    /// what it was asked may be told to the guest.
    pub(crate) async fn bounded<T>(&self, future: impl Future<Output = Answer<T>>) -> Answer<T> {
        let stop = self.stop();
        stop.check()?;
        tokio::select! {
            biased;
            () = self.attempt.cancel.cancelled() => Err(Failure::cancelled()),
            answer = future => answer.map_err(|failure| masking::failure(&self.mask(), failure)),
            () = self.clock.sleep(stop.left()) => Err(Stop::timeout()),
        }
    }

    /// Suspends the run: whatever the guest does from here on, it is ended, and called again once there
    /// is nothing to wait for any more.
    pub(crate) fn suspend(&self, wait: Wait) -> Answer<()> {
        if self.attempt.run.suspensions >= SUSPENSIONS_MAX {
            let message = format!("a run may be suspended {SUSPENSIONS_MAX} times");
            return Err(Failure::limit("suspensions", message));
        }
        self.suspension_lock().get_or_insert(wait);
        Ok(())
    }

    /// What the run waits for, where it is suspended.
    pub(crate) fn suspension(&self) -> Option<Wait> {
        self.suspension_lock().clone()
    }

    fn suspension_lock(&self) -> MutexGuard<'_, Option<Wait>> {
        self.suspension.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells threads when they have to end.
    pub(crate) fn stop(&self) -> Stop {
        Stop::new(
            self.attempt.cancel.clone(),
            self.attempt.deadline,
            Arc::clone(&self.clock),
        )
    }

    /// Says that something is under way that may have an effect even when nobody waits for it any
    /// more, until the token is dropped.
    pub(crate) fn under_way(&self) -> TaskTrackerToken {
        self.under_way.token()
    }

    /// Waits until nothing is under way any more; the attempt has ended.
    pub(crate) async fn settle(&self) {
        self.under_way.close();
        if self.under_way.is_empty() {
            return;
        }
        tokio::select! {
            () = self.under_way.wait() => {}
            () = self.clock.sleep(END_MAX) => {
                let threads = self.under_way.len();
                tracing::error!(threads, "changes of an attempt have not ended");
            }
        }
    }

    pub(crate) fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Counts what is used.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Masks what is known as a secret now.
    pub(crate) fn mask(&self) -> Mask {
        self.record.redaction().mask()
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn dry_run(&self) -> bool {
        self.attempt.run.queued.dry_run
    }
}
