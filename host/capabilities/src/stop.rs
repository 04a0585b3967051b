//! When an attempt has to end: somebody asked for it, or its time is up.

use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tells threads, which nobody can drop, when they have to end.
#[derive(Clone)]
pub(crate) struct Stop {
    cancel: CancellationToken,
    deadline: Duration,
    clock: Arc<dyn Clock>,
}

impl Stop {
    pub(crate) fn new(cancel: CancellationToken, deadline: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            cancel,
            deadline,
            clock,
        }
    }

    /// Fails when it is time to end.
    pub(crate) fn check(&self) -> Answer<()> {
        if self.cancel.is_cancelled() {
            Err(Failure::cancelled())
        } else if self.left().is_zero() {
            Err(Self::timeout())
        } else {
            Ok(())
        }
    }

    /// What is left of the attempt's time.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.clock.monotonic())
    }

    /// Waits until it is time to end, and says why.
    pub(crate) async fn reached(&self) -> Failure {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Failure::cancelled(),
            () = self.clock.sleep(self.left()) => Self::timeout(),
        }
    }

    /// The attempt's time is up.
    pub(crate) fn timeout() -> Failure {
        Failure::new(
            FailureKind::Timeout,
            Blame::Plugin,
            "the attempt has used up its time",
        )
        .with("limit", "timeout")
    }
}

/// When one piece of an attempt's work has to end: with the attempt, when nobody waits for it
/// any more, or when its own time is up.
pub(crate) struct Watch {
    stop: Stop,
    abandoned: CancellationToken,
    /// Nanoseconds of the monotonic clock; `u64::MAX` for none.
    deadline: AtomicU64,
}

impl Watch {
    pub(crate) fn new(stop: Stop, abandoned: CancellationToken) -> Self {
        Self {
            stop,
            abandoned,
            deadline: AtomicU64::new(u64::MAX),
        }
    }

    /// Gives what comes now this much time.
    pub(crate) fn allot(&self, time: Option<Duration>) {
        let deadline = time.map(|time| self.stop.clock.monotonic() + time);
        let nanoseconds = deadline.and_then(|deadline| u64::try_from(deadline.as_nanos()).ok());
        self.deadline.store(nanoseconds.unwrap_or(u64::MAX), Relaxed);
    }

    /// Fails when it is time to end.
    pub(crate) fn check(&self) -> Answer<()> {
        self.stop.check()?;
        if self.abandoned.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let now = self.stop.clock.monotonic().as_nanos();
        if now < u128::from(self.deadline.load(Relaxed)) {
            return Ok(());
        }
        Err(Self::out_of_time())
    }

    /// Waits until it is time to end, whatever time was allotted.
    pub(crate) async fn ended(&self) -> Failure {
        tokio::select! {
            biased;
            failure = self.stop.reached() => failure,
            () = self.abandoned.cancelled() => Failure::cancelled(),
        }
    }

    /// The clock that it goes by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.stop.clock
    }

    /// The time that was allotted to one piece of work is up.
    pub(crate) fn out_of_time() -> Failure {
        let message = "the time that was allotted to this call is up";
        Failure::new(FailureKind::Timeout, Blame::Plugin, message)
    }

    /// The monotonic clock that it goes by.
    pub(crate) fn now(&self) -> Duration {
        self.stop.clock.monotonic()
    }
}
