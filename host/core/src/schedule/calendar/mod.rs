//! When ticks may start: windows, blackouts and holidays, by what the clocks of a zone show.

mod span;

pub use span::{InvalidSpan, Span, Weekdays};

use super::zone::Stretch;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// When ticks of a schedule may start. What the clocks of the zone show decides: where they repeat an hour,
/// both are as that hour is, and of one that they leave out nothing is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// The IANA name of the zone.
    #[serde(rename = "time_zone", with = "jiff::fmt::serde::tz::required")]
    zone: TimeZone,
    /// In one of them at least, where there are any.
    windows: Vec<Span>,
    /// In none of them.
    blackouts: Vec<Span>,
    /// On none of these days.
    holidays: BTreeSet<Date>,
    outside: Outside,
}

/// What becomes of a tick that may not start at its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// It is skipped.
    #[default]
    Skip,
    /// It starts at the first instant that is allowed, unless a newer tick is due by then.
    Defer,
}

/// Why nothing may start at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It lies in no window.
    Window,
    /// It lies in a blackout, or on a holiday.
    Blackout,
}

/// A time during which the answer stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// Why nothing may start; none where something may.
    pub closed: Option<Closed>,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it; none where it lasts for ever.
    pub until: Option<Timestamp>,
}

impl Calendar {
    /// A calendar of these.
    pub fn new(
        zone: TimeZone,
        windows: Vec<Span>,
        blackouts: Vec<Span>,
        holidays: BTreeSet<Date>,
        outside: Outside,
    ) -> Self {
        Self {
            zone,
            windows,
            blackouts,
            holidays,
            outside,
        }
    }

    /// What becomes of a tick that may not start at its instant.
    pub fn outside(&self) -> Outside {
        self.outside
    }

    /// Whether it has windows, and all of them are over.
    pub fn is_over(&self, at: Timestamp) -> bool {
        let shown = self.zone.to_datetime(at);
        let over = |window: &Span| matches!(window, Span::Dates { to, .. } if *to <= shown);
        !self.windows.is_empty() && self.windows.iter().all(over)
    }

    /// Why nothing may start at this instant; none where something may.
    pub fn closed(&self, at: Timestamp) -> Option<Closed> {
        self.closed_when_shown(self.zone.to_datetime(at))
    }

    /// The phases from this instant on, one after the other and without end but that of time.
    pub fn phases(&self, from: Timestamp) -> impl Iterator<Item = Phase> {
        std::iter::successors(Some(self.phase(from)), |phase| Some(self.phase(phase.until?)))
    }

    /// The first phase in which something may start, from this instant on; none where none comes.
    pub fn opening(&self, from: Timestamp) -> Option<Phase> {
        self.phases(from)
            .take(PHASES_MAX)
            .find(|phase| phase.closed.is_none())
    }

    /// From this instant as long as the answer stays the same.
    pub(super) fn phase(&self, from: Timestamp) -> Phase {
        let closed = self.closed(from);
        let mut until = self.next_border(from);
        // Many borders change nothing; one that never does is no border.
        for _ in 0..BORDERS_MAX {
            match until {
                Some(border) if self.closed(border) == closed => until = self.next_border(border),
                _ => break,
            }
        }
        Phase { closed, from, until }
    }

    fn closed_when_shown(&self, shown: DateTime) -> Option<Closed> {
        let is_in = |spans: &[Span]| spans.iter().any(|span| span.contains(shown));
        if self.holidays.contains(&shown.date()) || is_in(&self.blackouts) {
            return Some(Closed::Blackout);
        }
        (!self.windows.is_empty() && !is_in(&self.windows)).then_some(Closed::Window)
    }

    /// The next instant at which the answer may change: the clocks show a border of a span, or they change.
    fn next_border(&self, after: Timestamp) -> Option<Timestamp> {
        let stretch = Stretch::at(&self.zone, after);
        let shown = stretch.shown_at(after);
        let spans = self.windows.iter().chain(&self.blackouts);
        let of_spans = spans.filter_map(|span| span.next_border(shown));
        let of_holidays = self.holidays.iter().flat_map(|day| {
            let midnight = day.to_datetime(jiff::civil::Time::midnight());
            [midnight, midnight.saturating_add(SignedDuration::from_hours(24))]
        });
        let shown_next = of_spans.chain(of_holidays.filter(|border| *border > shown)).min();
        let border = shown_next.and_then(|shown| stretch.instant_of(shown));
        // What is shown stays within a border only as long as the clocks run on.
        let change = stretch
            .closing
            .map(|closing| closing.at)
            .filter(|_| self.names_times());
        border.into_iter().chain(change).min()
    }

    fn names_times(&self) -> bool {
        !(self.windows.is_empty() && self.blackouts.is_empty() && self.holidays.is_empty())
    }
}

/// More than there are in ten years of a window a day and all changes of clocks.
const BORDERS_MAX: usize = 20_000;

/// More than there are in five years of a window a day.
pub(super) const PHASES_MAX: usize = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn span(days: &str, from: &str, to: &str) -> Span {
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Span::parse(part(days).as_deref(), part(from).as_deref(), part(to).as_deref()).unwrap()
    }

    fn calendar(zone: &str, windows: Vec<Span>, blackouts: Vec<Span>) -> Calendar {
        let zone = TimeZone::get(zone).unwrap();
        Calendar::new(zone, windows, blackouts, BTreeSet::new(), Outside::Skip)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The first phases from an instant on: whether they are open, and until when in the calendar's zone.
    fn told(calendar: &Calendar, from: &str, count: usize) -> Vec<String> {
        let phases = calendar.phases(at(from)).take(count);
        let told = phases.map(|phase| {
            let word = match phase.closed {
                None => "open",
                Some(Closed::Window) => "no window",
                Some(Closed::Blackout) => "blackout",
            };
            let until = phase.until.map_or("for ever".to_owned(), |until| {
                let zoned = until.to_zoned(calendar.zone.clone());
                zoned.strftime("%m-%d %H:%M %Z").to_string()
            });
            format!("{word} {until}")
        });
        told.collect()
    }

    #[test]
    fn a_window_begins_with_its_first_second_and_ends_before_its_last() {
        let calendar = calendar("UTC", vec![span("tue-thu", "10:00", "14:00")], vec![]);
        // 2026-03-03 is a Tuesday.
        for (instant, open) in [
            ("2026-03-03T09:59:59Z", false),
            ("2026-03-03T10:00:00Z", true),
            ("2026-03-03T13:59:59Z", true),
            ("2026-03-03T13:59:59.999999999Z", true),
            ("2026-03-03T14:00:00Z", false),
            ("2026-03-05T13:00:00Z", true),
            ("2026-03-06T13:00:00Z", false),
            ("2026-03-02T13:00:00Z", false),
        ] {
            assert_eq!(calendar.closed(at(instant)).is_none(), open, "{instant}");
        }
        assert_eq!(
            told(&calendar, "2026-03-05T11:00:00Z", 3),
            [
                "open 03-05 14:00 UTC",
                "no window 03-10 10:00 UTC",
                "open 03-10 14:00 UTC"
            ]
        );
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let calendar = calendar("UTC", vec![span("fri", "22:00", "06:00")], vec![]);
        assert_eq!(
            told(&calendar, "2026-03-06T12:00:00Z", 3),
            [
                "no window 03-06 22:00 UTC",
                "open 03-07 06:00 UTC",
                "no window 03-13 22:00 UTC"
            ]
        );
    }

    #[test]
    fn blackouts_and_holidays_close_windows() {
        let mut closed = calendar(
            "Europe/Berlin",
            vec![span("", "08:00", "18:00")],
            vec![span("", "2026-12-20", "2027-01-06"), span("fri", "", "")],
        );
        closed.holidays = ["2026-12-17".parse().unwrap()].into();
        assert_eq!(
            told(&closed, "2026-12-16T12:00:00Z", 8),
            [
                "open 12-16 18:00 CET",
                "no window 12-17 00:00 CET",
                "blackout 12-19 00:00 CET",
                "no window 12-19 08:00 CET",
                "open 12-19 18:00 CET",
                "no window 12-20 00:00 CET",
                "blackout 01-06 00:00 CET",
                "no window 01-06 08:00 CET",
            ]
        );
    }

    #[test]
    fn what_the_clocks_show_decides_where_they_change() {
        let night = calendar("Europe/Berlin", vec![span("", "02:15", "02:45")], vec![]);
        // On 2026-03-29 the hour is left out, on 2026-10-25 it comes twice.
        assert_eq!(
            told(&night, "2026-03-28T12:00:00Z", 2),
            ["no window 03-30 02:15 CEST", "open 03-30 02:45 CEST"]
        );
        assert_eq!(
            told(&night, "2026-10-24T12:00:00Z", 5),
            [
                "no window 10-25 02:15 CEST",
                "open 10-25 02:45 CEST",
                "no window 10-25 02:15 CET",
                "open 10-25 02:45 CET",
                "no window 10-26 02:15 CET",
            ]
        );
        let early = calendar("Europe/Berlin", vec![span("", "01:00", "02:30")], vec![]);
        assert_eq!(
            told(&early, "2026-03-29T00:00:00Z", 2),
            ["open 03-29 03:00 CEST", "no window 03-30 01:00 CEST"]
        );
    }

    #[test]
    fn what_never_changes_lasts_for_ever() {
        assert_eq!(
            told(&calendar("UTC", vec![], vec![]), "2026-03-01T00:00:00Z", 2),
            ["open for ever"]
        );
        let over = calendar("UTC", vec![], vec![span("", "2020-01-01", "2020-02-01")]);
        assert_eq!(told(&over, "2026-03-01T00:00:00Z", 2), ["open for ever"]);
    }
}
