//! What names the instants of a schedule.

use super::{After, At, Cron, Every, Tally};
use crate::name::EventName;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// What names the instants of a schedule, or starts it in their place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// A cron line in a time zone.
    Cron(Box<Cron>),
    /// A distance in real time.
    Every(Every),
    /// Instants that are named one by one.
    At(At),
    /// The ends of runs of another procedure: it has no instants of its own.
    After(After),
    /// An event: it has no instants of its own.
    Event(EventName),
}

impl When {
    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next(after),
            Self::Every(every) => every.next(after),
            Self::At(at) => at.next(after),
            Self::After(_) | Self::Event(_) => None,
        }
    }

    /// Counts the instants after the first one given, up to and with the second, without visiting each.
    pub fn tally(&self, from_exclusive: Timestamp, to_inclusive: Timestamp) -> Option<Tally> {
        match self {
            Self::Cron(cron) => cron.tally(from_exclusive, to_inclusive),
            Self::Every(every) => every.tally(from_exclusive, to_inclusive),
            Self::At(at) => at.tally(from_exclusive, to_inclusive),
            Self::After(_) | Self::Event(_) => None,
        }
    }

    /// The newest `max` instants after the first one given, up to and with the second, oldest first, without
    /// visiting those before them.
    pub fn newest(&self, from_exclusive: Timestamp, to_inclusive: Timestamp, max: u32) -> Vec<Timestamp> {
        let is_too_much = |from| {
            let tally = self.tally(from, to_inclusive);
            tally.is_some_and(|tally| tally.count > u64::from(max))
        };
        let mut after = from_exclusive;
        if is_too_much(after) {
            let (mut early, mut late) = (after.as_nanosecond(), to_inclusive.as_nanosecond());
            while late - early > 1 {
                let middle = early.midpoint(late);
                if Timestamp::from_nanosecond(middle).is_ok_and(is_too_much) {
                    early = middle;
                } else {
                    late = middle;
                }
            }
            after = Timestamp::from_nanosecond(late).unwrap_or(to_inclusive);
        }
        let instants = std::iter::successors(self.next(after), |instant| self.next(*instant));
        instants.take_while(|instant| *instant <= to_inclusive).collect()
    }

    /// The time zone in which people read its instants.
    pub fn zone(&self) -> TimeZone {
        match self {
            Self::Cron(cron) => cron.zone().clone(),
            Self::Every(_) | Self::At(_) | Self::After(_) | Self::Event(_) => TimeZone::UTC,
        }
    }

    /// Whether a change of clocks on the local day may have moved this instant.
    pub fn near_clock_change(&self, instant: Timestamp) -> bool {
        match self {
            Self::Cron(cron) => cron.near_clock_change(instant),
            Self::Every(_) | Self::At(_) | Self::After(_) | Self::Event(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #[test]
        fn the_newest_are_the_end_of_a_walk(period in 1..500_i64, after in -2_000..2_000_i64, length in 0..9_000_i64, max in 1..30_u32) {
            let when = When::Every(Every::new(SignedDuration::from_secs(period)).unwrap());
            let (after, until) = (at(after), at(after + length));
            let mut walked: Vec<_> = std::iter::successors(when.next(after), |tick| when.next(*tick))
                .take_while(|tick| *tick <= until)
                .collect();
            walked.drain(..walked.len().saturating_sub(max as usize));
            prop_assert_eq!(when.newest(after, until, max), walked);
        }
    }
}
