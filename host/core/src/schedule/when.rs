//! What names the instants of a schedule.

use super::{At, Cron, Every, Tally};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// What names the instants of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// A cron line in a time zone.
    Cron(Box<Cron>),
    /// A distance in real time.
    Every(Every),
    /// Instants that are named one by one.
    At(At),
}

impl When {
    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next(after),
            Self::Every(every) => every.next(after),
            Self::At(at) => at.next(after),
        }
    }

    /// Counts the instants after the first one given, up to and with the second, without visiting each.
    pub fn tally(&self, from_exclusive: Timestamp, to_inclusive: Timestamp) -> Option<Tally> {
        match self {
            Self::Cron(cron) => cron.tally(from_exclusive, to_inclusive),
            Self::Every(every) => every.tally(from_exclusive, to_inclusive),
            Self::At(at) => at.tally(from_exclusive, to_inclusive),
        }
    }

    /// The time zone in which people read its instants.
    pub fn zone(&self) -> TimeZone {
        match self {
            Self::Cron(cron) => cron.zone().clone(),
            Self::Every(_) | Self::At(_) => TimeZone::UTC,
        }
    }

    /// Whether a change of clocks on the local day may have moved this instant.
    pub fn near_clock_change(&self, instant: Timestamp) -> bool {
        match self {
            Self::Cron(cron) => cron.near_clock_change(instant),
            Self::Every(_) | Self::At(_) => false,
        }
    }
}
