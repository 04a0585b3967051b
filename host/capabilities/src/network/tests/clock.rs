//! A clock whose waits end when the other side says so, or with time.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::Clock;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Waits for nothing but [`PatientClock::run_out`], so that no test depends on how fast it is, unless
/// time is to pass by itself.
pub(super) struct PatientClock {
    origin: Instant,
    patience: CancellationToken,
    real_time: bool,
}

impl PatientClock {
    pub(super) fn new(real_time: bool) -> Self {
        Self {
            origin: Instant::now(),
            patience: CancellationToken::new(),
            real_time,
        }
    }

    /// Ends every wait, now and from now on.
    pub(super) fn run_out(&self) {
        self.patience.cancel();
    }
}

#[async_trait]
impl Clock for PatientClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = self.patience.cancelled() => {}
            () = tokio::time::sleep(duration), if self.real_time => {}
        }
    }
}
