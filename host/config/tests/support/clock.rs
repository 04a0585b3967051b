//! A clock that stands still until it is turned.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::Clock;
use std::time::Duration;
use tokio::sync::watch;

/// A clock that stands still until it is turned.
pub(crate) struct TurnedClock {
    elapsed: watch::Sender<Duration>,
}

impl TurnedClock {
    pub(crate) fn new() -> Self {
        Self {
            elapsed: watch::Sender::new(Duration::ZERO),
        }
    }

    pub(crate) fn turn(&self, by: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed += by);
    }
}

#[async_trait]
impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        super::now() + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic() + duration;
        let mut elapsed = self.elapsed.subscribe();
        elapsed.wait_for(|elapsed| *elapsed >= until).await.unwrap();
    }
}
