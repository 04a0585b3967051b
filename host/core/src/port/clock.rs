//! Time and randomness, which are arguments everywhere else.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// The only way to the time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day, which an administrator may turn.
    fn now(&self) -> Timestamp;
    /// The time since some fixed instant, which only goes forward.
    fn monotonic(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// The only way to randomness.
pub trait Entropy: Send + Sync {
    /// Uniform over all values.
    fn random(&self) -> u128;
}
