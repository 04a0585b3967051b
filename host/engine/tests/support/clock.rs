//! A clock that stands still until a test moves it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sopwith_core::port::Clock;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::oneshot;

/// 2026-03-02T00:00:00Z, a Monday.
const START: i64 = 1_772_409_600;

/// A clock that stands still until a test moves it.
#[derive(Default)]
pub(crate) struct VirtualClock {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    monotonic: Duration,
    /// By how much an administrator has turned the time of day.
    turned: SignedDuration,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
    sleeps: usize,
}

impl VirtualClock {
    /// When the next sleeper wakes.
    pub(crate) fn next(&self) -> Option<Duration> {
        let mut state = self.state.lock().unwrap();
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        state.sleepers.iter().map(|(instant, _)| *instant).min()
    }

    /// Lets time pass up to this instant of the monotonic clock.
    pub(crate) fn go_to(&self, instant: Duration) {
        let mut state = self.state.lock().unwrap();
        state.monotonic = state.monotonic.max(instant);
        let now = state.monotonic;
        for (_, sleeper) in state.sleepers.extract_if(.., |(instant, _)| *instant <= now) {
            // It may have been dropped.
            let _ = sleeper.send(());
        }
    }

    /// How often anybody went to sleep so far.
    pub(crate) fn sleeps(&self) -> usize {
        self.state.lock().unwrap().sleeps
    }

    /// Turns the time of day, as an administrator may, or a machine that slept.
    pub(crate) fn turn(&self, by: SignedDuration) {
        self.state.lock().unwrap().turned += by;
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let state = self.state.lock().unwrap();
        let start = Timestamp::from_second(START).unwrap();
        start + SignedDuration::try_from(state.monotonic).unwrap() + state.turned
    }

    fn monotonic(&self) -> Duration {
        self.state.lock().unwrap().monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let (sleeper, woken) = oneshot::channel();
        {
            let mut state = self.state.lock().unwrap();
            state.sleeps += 1;
            let instant = state.monotonic.saturating_add(duration);
            if instant == state.monotonic {
                return;
            }
            state.sleepers.push((instant, sleeper));
        }
        woken.await.unwrap();
    }
}
