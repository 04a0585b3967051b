//! The machine's own time, which may pass more quickly, and randomness that repeats.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::{Clock, Entropy};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct TestClock {
    began: Instant,
    speed: u32,
}

impl TestClock {
    /// A second of this clock takes so many of the machine's: `1 / speed`.
    pub(crate) fn with_speed(speed: u32) -> Self {
        let began = Instant::now();
        Self { began, speed }
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        "2026-11-20T18:00:00Z".parse().expect("a time")
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed() * self.speed
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }
}

pub(crate) struct TestEntropy;

impl Entropy for TestEntropy {
    fn random(&self) -> u128 {
        7
    }
}
