//! Carries out one session: what the host's binary does when it is started for that.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::port::Clock;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn main() -> ExitCode {
    sopwith_capabilities::serve_session(Arc::new(MonotonicClock(Instant::now())))
}

struct MonotonicClock(Instant);

#[async_trait]
impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
