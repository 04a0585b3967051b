//! Points in time as people write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An instant, a time by the clocks of a place that is yet to be named, or a whole day there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// With its distance from UTC: `2026-03-29T02:30:00Z`.
    Instant(Timestamp),
    /// Without: `2026-03-29T02:30`.
    Local(DateTime),
    /// `2026-03-29`.
    Day(Date),
}

/// A text that names no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a date, nor a local time, nor one with its distance from UTC")]
pub struct InvalidMoment(String);

impl Moment {
    /// Its first instant in a zone: what clocks leave out there is as late after the change as it would have
    /// been, and what they repeat is meant for the first time.
    pub fn start(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Local(local) => zone.to_timestamp(local).ok(),
            Self::Day(day) => zone.to_timestamp(day.into()).ok(),
        }
    }

    /// Where it ends in a zone: a day with the first instant of the next one, all else at once.
    pub fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Self::Day(day.tomorrow().ok()?).start(zone),
            other => other.start(zone),
        }
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let has_time = text.contains(':');
        let instant = || text.parse().map(Self::Instant);
        let local = || text.parse().map(Self::Local);
        let read = if has_time {
            instant().or_else(|_| local())
        } else {
            text.parse().map(Self::Day)
        };
        read.map_err(|_| InvalidMoment(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(instant) => instant.fmt(f),
            Self::Local(local) => local.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, start: &str, end: &str) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let moment: Moment = text.parse().unwrap();
        let of = |instant: Option<Timestamp>| instant.unwrap().to_string();
        assert_eq!(
            (of(moment.start(&zone)), of(moment.end(&zone))),
            (start.to_owned(), end.to_owned())
        );
        assert_eq!(moment.to_string().parse(), Ok(moment));
    }

    #[test]
    fn dates_local_times_and_instants_are_read() {
        check("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        check("2026-03-29T02:30", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z");
        check("2026-10-25 02:30", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z");
        check(
            "2026-03-29T02:30:00Z",
            "2026-03-29T02:30:00Z",
            "2026-03-29T02:30:00Z",
        );
        check(
            "2026-03-29T02:30+05:30",
            "2026-03-28T21:00:00Z",
            "2026-03-28T21:00:00Z",
        );
    }

    #[test]
    fn what_is_no_point_in_time_is_told() {
        for text in ["", "tomorrow", "2026-02-30", "12:00", "2026-03-29T25:00"] {
            let said = text.parse::<Moment>().unwrap_err().to_string();
            assert!(said.starts_with(&format!("`{text}` is neither")), "{said}");
        }
    }
}
