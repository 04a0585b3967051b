//! Instants at a fixed distance, whatever clocks show.

use super::Tally;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A distance in real time. The instants are its multiples since 1970-01-01T00:00:00Z: no restart and no
/// edit of anything else moves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Every {
    /// In seconds; at least one.
    period: i64,
}

/// A distance that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the distance has to be a whole number of seconds, and at least one")]
pub struct InvalidEvery;

impl Every {
    /// A distance of whole seconds.
    pub fn new(period: SignedDuration) -> Result<Self, InvalidEvery> {
        if period.subsec_nanos() != 0 {
            return Err(InvalidEvery);
        }
        period.as_secs().try_into()
    }

    /// The first instant after this one.
    pub(super) fn next(self, after: Timestamp) -> Option<Timestamp> {
        // Fractions of a second before 1970 round down, too.
        let second = after.as_duration().as_secs() - i64::from(after.subsec_nanosecond() < 0);
        let multiple = second.div_euclid(self.period).checked_add(1)?;
        Timestamp::from_second(multiple.checked_mul(self.period)?).ok()
    }

    /// Counts the instants after the first one given, up to and with the second.
    pub(super) fn tally(self, after: Timestamp, until: Timestamp) -> Option<Tally> {
        let first = self.next(after).filter(|first| *first <= until)?;
        let further = (until.as_second() - first.as_second()) / self.period;
        Some(Tally {
            count: 1 + u64::try_from(further).unwrap_or(0),
            first,
            last: Timestamp::from_second(first.as_second() + further * self.period).ok()?,
        })
    }
}

impl TryFrom<i64> for Every {
    type Error = InvalidEvery;

    fn try_from(period: i64) -> Result<Self, InvalidEvery> {
        if period < 1 {
            return Err(InvalidEvery);
        }
        Ok(Self { period })
    }
}

impl From<Every> for i64 {
    fn from(every: Every) -> Self {
        every.period
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn instants_are_multiples_since_1970() {
        let every = Every::new(SignedDuration::from_mins(5)).unwrap();
        for (after, next) in [(0, 300), (299, 300), (300, 600), (-1, 0), (-300, 0), (-301, -300)] {
            assert_eq!(every.next(at(after)), Some(at(next)), "{after}");
        }
        let just_before = at(-300) - SignedDuration::from_millis(1);
        assert_eq!(every.next(just_before), Some(at(-300)));
        assert_eq!(every.next(Timestamp::MAX), None);
    }

    #[test]
    fn distance_is_at_least_a_second() {
        for millis in [-1_000, 0, 500, 1_500] {
            assert!(
                Every::new(SignedDuration::from_millis(millis)).is_err(),
                "{millis}"
            );
        }
        assert!(serde_json::from_str::<Every>("0").is_err());
    }

    proptest! {
        #[test]
        fn tally_is_what_a_walk_counts(period in 1..5_000_i64, after in -20_000..20_000_i64, length in 0..20_000_i64) {
            let (every, after, until) = (Every::try_from(period).unwrap(), at(after), at(after + length));
            let walked: Vec<_> = std::iter::successors(every.next(after), |tick| every.next(*tick))
                .take_while(|tick| *tick <= until)
                .collect();
            let tally = every.tally(after, until);
            prop_assert_eq!(tally.map_or(0, |tally| tally.count), walked.len() as u64);
            prop_assert_eq!(tally.map(|tally| tally.first), walked.first().copied());
            prop_assert_eq!(tally.map(|tally| tally.last), walked.last().copied());
        }
    }
}
