//! A span of a calendar: days of the week, times of day, or dates.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, ToSpan as _};
use serde::{Deserialize, Serialize};

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekdays([bool; 7]);

impl Weekdays {
    const ALL: Self = Self([true; 7]);

    fn contains(self, date: Date) -> bool {
        self.0[index(date.weekday())]
    }

    /// Reads names and ranges of them: `mon-fri`, `sat,sun`, `fri-mon`.
    fn parse(text: &str) -> Result<Self, InvalidSpan> {
        let day = |name: &str| {
            let name = name.trim().to_ascii_lowercase();
            NAMES
                .iter()
                .position(|known| *known == name)
                .ok_or_else(|| InvalidSpan::Day(name.clone()))
        };
        let mut days = [false; 7];
        for item in text.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (mut at, last) = (day(first)?, day(last)?);
            days[at] = true;
            while at != last {
                at = (at + 1) % 7;
                days[at] = true;
            }
        }
        Ok(Self(days))
    }
}

fn index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

/// A span of local time, which contains its beginning and not its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Whole days of the week.
    Days(Weekdays),
    /// Times of day, on days of the week. One that ends no later than it begins reaches into the next day.
    Times {
        /// On these days it begins.
        days: Weekdays,
        /// The time at which it begins.
        from: Time,
        /// The time at which it ends; midnight for the end of the day.
        to: Time,
    },
    /// From one date to another.
    Dates {
        /// It begins with this.
        from: DateTime,
        /// It ends before this.
        to: DateTime,
    },
}

/// Why something is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpan {
    /// It says nothing.
    #[error("it names neither days nor times")]
    Empty,
    /// One end is missing.
    #[error("it has `from` or `to` alone, and needs both")]
    Half,
    /// A day of the week is none.
    #[error("`{0}` is not a day of the week")]
    Day(String),
    /// An end is neither a time of day nor a date.
    #[error("`{0}` is neither a time of day nor a date")]
    End(String),
    /// One end is a time of day and the other one a date.
    #[error("one of its ends is a time of day and the other one a date")]
    Mixed,
    /// It has days of the week and dates.
    #[error("it has days of the week and dates, and can have one of them only")]
    DaysAndDates,
    /// It ends before it begins.
    #[error("it ends before it begins")]
    Backwards,
    /// It ends as it begins.
    #[error("it ends as it begins, and contains nothing")]
    Nothing,
}

/// One end of a span.
enum End {
    Time(Time),
    Date(DateTime),
}

impl Span {
    /// Reads the days of the week and the ends of a span.
    pub fn parse(days: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<Self, InvalidSpan> {
        let days = days.map(Weekdays::parse).transpose()?;
        let (from, to) = match (from, to) {
            (None, None) => return days.map(Self::Days).ok_or(InvalidSpan::Empty),
            (Some(from), Some(to)) => (end(from)?, end(to)?),
            _ => return Err(InvalidSpan::Half),
        };
        match (from, to) {
            (End::Time(from), End::Time(to)) if from == to => Err(InvalidSpan::Nothing),
            (End::Time(from), End::Time(to)) => Ok(Self::Times {
                days: days.unwrap_or(Weekdays::ALL),
                from,
                to,
            }),
            (End::Date(_), End::Date(_)) if days.is_some() => Err(InvalidSpan::DaysAndDates),
            (End::Date(from), End::Date(to)) if from > to => Err(InvalidSpan::Backwards),
            (End::Date(from), End::Date(to)) if from == to => Err(InvalidSpan::Nothing),
            (End::Date(from), End::Date(to)) => Ok(Self::Dates { from, to }),
            _ => Err(InvalidSpan::Mixed),
        }
    }

    /// Whether it contains what the clocks show.
    pub(super) fn contains(&self, shown: DateTime) -> bool {
        let (date, time) = (shown.date(), shown.time());
        match self {
            Self::Days(days) => days.contains(date),
            Self::Times { days, from, to } => {
                let began_before = || date.yesterday().is_ok_and(|before| days.contains(before));
                if from < to {
                    days.contains(date) && *from <= time && time < *to
                } else {
                    (days.contains(date) && *from <= time) || (time < *to && began_before())
                }
            }
            Self::Dates { from, to } => *from <= shown && shown < *to,
        }
    }

    /// The next border that the clocks show after this, if they run on.
    pub(super) fn next_border(&self, shown: DateTime) -> Option<DateTime> {
        let midnight = Time::midnight();
        let daily = |times: [Time; 2]| {
            let today = times.map(|time| shown.date().to_datetime(time));
            let later = today.into_iter().filter(|border| *border > shown).min();
            later.or_else(|| {
                let tomorrow = shown.date().checked_add(1.day()).ok()?;
                Some(tomorrow.to_datetime(times[0].min(times[1])))
            })
        };
        match self {
            Self::Days(_) => daily([midnight, midnight]),
            Self::Times { from, to, .. } => daily([*from, *to]),
            Self::Dates { from, to } => [*from, *to].into_iter().find(|border| *border > shown),
        }
    }

    /// Whether some time lies in both, where both are of days of the week, or both of dates.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dates { from, to }, Self::Dates { from: other, to: end }) => from < end && other < to,
            (Self::Dates { .. }, _) | (_, Self::Dates { .. }) => false,
            _ => {
                let monday = Date::constant(2026, 3, 2).to_datetime(Time::midnight());
                let minutes =
                    (0..7 * 24 * 60).map(|minute| monday.saturating_add(SignedDuration::from_mins(minute)));
                minutes
                    .into_iter()
                    .any(|shown| self.contains(shown) && other.contains(shown))
            }
        }
    }
}

fn end(text: &str) -> Result<End, InvalidSpan> {
    if text == "24:00" {
        return Ok(End::Time(Time::midnight()));
    }
    // A date may be read as a time of day without its colons.
    if let Ok(date) = text.parse::<Date>() {
        return Ok(End::Date(date.to_datetime(Time::midnight())));
    }
    if text.contains(':')
        && !text.contains('-')
        && let Ok(time) = text.parse::<Time>()
    {
        return Ok(End::Time(time));
    }
    let is_local = text.contains('-') && !text.ends_with(['Z', 'z']);
    match text.parse::<DateTime>() {
        Ok(shown) if is_local => Ok(End::Date(shown)),
        _ => Err(InvalidSpan::End(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(days: &str, from: &str, to: &str) -> Result<Span, String> {
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (days, from, to) = (part(days), part(from), part(to));
        Span::parse(days.as_deref(), from.as_deref(), to.as_deref()).map_err(|error| error.to_string())
    }

    #[test]
    fn days_are_names_and_ranges_that_go_round() {
        let days = |text: &str| {
            Weekdays::parse(text).map(|days| {
                let names = NAMES.iter().zip(days.0).filter(|(_, is_in)| *is_in);
                names.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(days("tue-thu").unwrap(), "tue wed thu");
        assert_eq!(days("Mon, Wed").unwrap(), "mon wed");
        assert_eq!(days("fri-mon").unwrap(), "mon fri sat sun");
        assert_eq!(days("mon-mon").unwrap(), "mon");
        assert_eq!(days("mon-day").unwrap_err(), InvalidSpan::Day("day".to_owned()));
        assert!(days("").is_err());
    }

    #[test]
    fn what_is_no_span_is_told() {
        for (days, from, to, why) in [
            ("", "", "", "it names neither days nor times"),
            ("mon", "10:00", "", "it has `from` or `to` alone, and needs both"),
            (
                "",
                "10:00",
                "2026-01-01",
                "one of its ends is a time of day and the other one a date",
            ),
            (
                "mon",
                "2026-01-01",
                "2026-01-02",
                "it has days of the week and dates, and can have one of them only",
            ),
            ("", "2026-01-02", "2026-01-01", "it ends before it begins"),
            ("", "10:00", "10:00", "it ends as it begins, and contains nothing"),
            ("", "ten", "14:00", "`ten` is neither a time of day nor a date"),
            (
                "",
                "25:00",
                "26:00",
                "`25:00` is neither a time of day nor a date",
            ),
            (
                "",
                "2026-02-30",
                "2026-03-01",
                "`2026-02-30` is neither a time of day nor a date",
            ),
            (
                "",
                "2026-01-01T00:00Z",
                "2026-03-01",
                "`2026-01-01T00:00Z` is neither a time of day nor a date",
            ),
        ] {
            assert_eq!(parse(days, from, to).unwrap_err(), why);
        }
    }

    #[test]
    fn the_end_of_a_day_is_midnight() {
        let evening = parse("", "18:00", "24:00").unwrap();
        let shown = |text: &str| text.parse::<DateTime>().unwrap();
        assert!(evening.contains(shown("2026-03-02T23:59:59")));
        assert!(!evening.contains(shown("2026-03-03T00:00:00")));
        assert_eq!(
            parse("", "00:00", "24:00").unwrap_err(),
            "it ends as it begins, and contains nothing"
        );
    }

    #[test]
    fn spans_of_one_kind_may_overlap() {
        let overlap = |one: &Span, other: &Span| one.overlaps(other);
        let friday = parse("fri", "", "").unwrap();
        assert!(overlap(&friday, &parse("thu", "22:00", "06:00").unwrap()));
        assert!(!overlap(
            &friday,
            &parse("fri", "22:00", "06:00")
                .map(|_| parse("sat", "", "").unwrap())
                .unwrap()
        ));
        let winter = parse("", "2026-12-20", "2027-01-06").unwrap();
        assert!(overlap(&winter, &parse("", "2027-01-05", "2027-02-01").unwrap()));
        assert!(!overlap(&winter, &parse("", "2027-01-06", "2027-02-01").unwrap()));
        assert!(!overlap(&winter, &friday));
    }
}
