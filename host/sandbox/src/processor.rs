//! Measures the processor time of a guest: tokio moves a run between threads, so the clock of the
//! thread is read around each poll.

use rustix::time::{ClockId, clock_gettime};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

/// The processor time that a guest has spent.
#[derive(Default)]
pub(crate) struct Processor {
    /// Nanoseconds of the polls that have ended.
    spent: AtomicU64,
    /// What the thread's clock showed when the poll began that is under way.
    began: AtomicU64,
}

impl Processor {
    /// Polls the guest, and adds what that took.
    pub(crate) fn poll<F: Future>(&self, guest: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.began.store(thread_time(), Relaxed);
        let polled = guest.poll(context);
        self.spent.fetch_add(self.under_way(), Relaxed);
        polled
    }

    /// What was spent in all polls that have ended.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Relaxed))
    }

    /// What was spent, with the poll that is under way on this thread.
    pub(crate) fn spent_so_far(&self) -> Duration {
        self.spent() + Duration::from_nanos(self.under_way())
    }

    fn under_way(&self) -> u64 {
        thread_time().saturating_sub(self.began.load(Relaxed))
    }
}

/// Nanoseconds that this thread has run.
fn thread_time() -> u64 {
    let time = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
