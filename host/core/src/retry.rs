//! Whether and when a failed attempt is followed by another.

use crate::failure::Failure;
use crate::run::AttemptEnd;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `[retry]` of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts after the first.
    pub max: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub backoff: SignedDuration,
    /// The longest wait.
    pub backoff_max: SignedDuration,
    /// Which ends of an attempt are retried. `lost` may repeat an effect, so it has to be named.
    pub on: BTreeSet<AttemptEnd>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: 0,
            backoff: SignedDuration::from_secs(10),
            backoff_max: SignedDuration::from_mins(10),
            on: [AttemptEnd::Failed, AttemptEnd::TimedOut].into(),
        }
    }
}

impl Retry {
    /// When the attempt after this one may start, if there is one.
    ///
    /// `attempt` counts from 1; `random` is uniform. The wait is drawn from the upper half of the
    /// doubled backoff, so that procedures that failed together do not come back together.
    pub fn next(
        &self,
        now: Timestamp,
        attempt: u32,
        end: AttemptEnd,
        failure: &Failure,
        random: u128,
    ) -> Option<Timestamp> {
        let worth_it = end != AttemptEnd::Failed || failure.retryable;
        if attempt > self.max || !self.on.contains(&end) || !worth_it {
            return None;
        }
        let doubled = 1_i32
            .checked_shl(attempt.saturating_sub(1))
            .filter(|factor| *factor > 0);
        let full = doubled
            .and_then(|factor| self.backoff.checked_mul(factor))
            .map_or(self.backoff_max, |wait| wait.min(self.backoff_max));
        let half = full / 2;
        let share = half.as_millis().unsigned_abs().max(1);
        let milliseconds = i64::try_from(random % share).unwrap_or(0);
        now.checked_add(half + SignedDuration::from_millis(milliseconds))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retry: &Retry, end: AttemptEnd, failure: &Failure) -> Vec<i64> {
        (1..)
            .map_while(|attempt| retry.next(Timestamp::UNIX_EPOCH, attempt, end, failure, 0))
            .map(Timestamp::as_second)
            .collect()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry {
            max: 5,
            backoff_max: SignedDuration::from_secs(60),
            ..Retry::default()
        };
        assert_eq!(
            waits(&retry, AttemptEnd::Failed, &Failure::host("x").retryable()),
            [5, 10, 20, 30, 30]
        );
    }

    #[test]
    fn what_cannot_succeed_later_and_what_was_lost_are_not_retried() {
        let retry = Retry {
            max: 5,
            ..Retry::default()
        };
        assert!(waits(&retry, AttemptEnd::Failed, &Failure::host("x")).is_empty());
        assert!(waits(&retry, AttemptEnd::Lost, &Failure::host("x").retryable()).is_empty());
    }
}
