//! What deserves a second look in a cron line that is valid.

use super::civil::{CivilPattern, PatternKind};
use super::zone::Change;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The hours in which most zones change their clocks.
const HOURS_OF_CHANGE: std::ops::Range<u16> = 1..3;

/// Why a cron line may run at other times than its author thinks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronWarning {
    /// It names a time that may be left out or repeated.
    #[error(
        "`{line}` names a time between 01:00 and 03:00, and clocks change in `{time_zone}`: \
         a time that is left out runs right after the change, a time that is repeated runs once"
    )]
    ClockChange {
        /// As it was written.
        line: String,
        /// In which it is read.
        time_zone: String,
    },
    /// It restricts the day of the month and the weekday.
    #[error(
        "`{line}` runs on each day that fits its day of the month or its weekday, not only on days that \
         fit both; a `+` before the weekday asks for both"
    )]
    EitherDay {
        /// As it was written.
        line: String,
    },
}

/// Whether the line has a fixed time in the hours of change, and clocks change within a year.
pub(super) fn meets_clock_change(pattern: &CivilPattern, zone: &TimeZone, from: Timestamp) -> bool {
    let hours = pattern.fields().hours.values();
    pattern.kind() == PatternKind::Fixed
        && hours.iter().any(|hour| HOURS_OF_CHANGE.contains(hour))
        && Change::following(zone, from).is_some_and(|change| change.at.duration_since(from) <= YEAR)
}

/// Whether the line restricts the day of the month and the weekday, and is content with one of them.
pub(super) fn takes_either_day(pattern: &CivilPattern) -> bool {
    let fields = pattern.fields();
    !fields.is_dom_wildcard() && !fields.is_dow_wildcard() && !fields.matches_dom_and_dow()
}
