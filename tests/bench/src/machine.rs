//! The machine's own clock and randomness, for what is measured and for who measures.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::{Clock, Entropy};
use std::time::{Duration, Instant};

/// The machine's own clock and randomness.
#[derive(Debug)]
pub struct Machine {
    origin: Instant,
}

impl Default for Machine {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
    fn default() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Entropy for Machine {
    fn random(&self) -> u128 {
        rand::random()
    }
}

/// What some work came to, and how long it took.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}
