//! A clock whose waits end when the other side says so.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::Clock;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Waits for nothing but [`PatientClock::run_out`], so that no test depends on how fast it is.
pub(super) struct PatientClock {
    origin: Instant,
    patience: CancellationToken,
}

impl PatientClock {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            patience: CancellationToken::new(),
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

    async fn sleep(&self, _: Duration) {
        self.patience.cancelled().await;
    }
}
