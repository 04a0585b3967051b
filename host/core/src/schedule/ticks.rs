//! The rules for changes of clocks: which instants a civil pattern comes to in a zone.
//!
//! Both kinds of line visit the stretches between changes in order. An interval matches
//! all that the clocks show. A fixed line matches what they show for the first time, and has a
//! tick at the change itself where that left out a named time.

use super::civil::{CivilPattern, PatternKind};
use super::zone::{Stretch, leaves_some_of};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;

/// More than any zone's distance from UTC, and more than clocks were ever changed by.
const TWO_DAYS: SignedDuration = SignedDuration::from_hours(48);

/// The instants after a given one, in order and without end but the parser's horizon.
pub(super) struct Instants<'a> {
    pattern: &'a CivilPattern,
    zone: &'a TimeZone,
    stretch: Stretch,
    /// Up to where the stretch has been searched; none of it, at first.
    searched: Option<DateTime>,
}

impl<'a> Instants<'a> {
    pub(super) fn after(pattern: &'a CivilPattern, zone: &'a TimeZone, after: Timestamp) -> Self {
        let stretch = Stretch::at(zone, after);
        Self {
            pattern,
            zone,
            stretch,
            searched: Some(stretch.shown_at(after)),
        }
    }

    fn enter(&mut self, stretch: Stretch, searched: Option<DateTime>) {
        self.stretch = stretch;
        self.searched = searched;
    }

    /// The next match by the clocks of this stretch, and from where it was looked for.
    fn search(&self) -> (DateTime, Option<DateTime>) {
        let first = first_eligible(self.pattern, &self.stretch);
        match self.searched {
            Some(searched) if searched >= first => (searched, self.pattern.first_after(searched)),
            _ => (first, self.pattern.first_from(first)),
        }
    }

    /// Leaves a stretch without a further match, where `from..found` holds none.
    fn leave(&mut self, from: DateTime, found: Option<DateTime>) -> Option<()> {
        let end = self.stretch.closing?.at;
        let began = self.stretch.instant_of(from).unwrap_or(Timestamp::MIN);
        // Clocks that go back near the end could show again what lies before `from`.
        if end.duration_since(began) >= TWO_DAYS {
            let target = TimeZone::UTC
                .to_timestamp(found?)
                .ok()?
                .checked_sub(TWO_DAYS)
                .ok()?;
            if target > end {
                let stretch = Stretch::at(self.zone, target);
                self.enter(stretch, Some(stretch.shown_at(target)));
                return Some(());
            }
        }
        let stretch = self.stretch.following(self.zone)?;
        self.enter(stretch, None);
        Some(())
    }
}

impl Iterator for Instants<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        loop {
            if self.searched.is_none()
                && let Some(tick) = carried(self.pattern, &self.stretch)
            {
                self.searched = Some(self.stretch.first_shown());
                return Some(tick);
            }
            let (from, found) = self.search();
            let tick = found.and_then(|found| self.stretch.instant_of(found));
            if let Some(tick) = tick
                && !self.stretch.has_ended_at(tick)
            {
                self.searched = found;
                return Some(tick);
            }
            self.leave(from, found)?;
        }
    }
}

/// How many instants a range of time holds, with the first and the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How many; at least one.
    pub count: u64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
}

/// Counts the instants later than `after` up to and with `until`, without visiting them one by one.
pub(super) fn tally(
    pattern: &CivilPattern,
    zone: &TimeZone,
    after: Timestamp,
    until: Timestamp,
) -> Option<Tally> {
    let first = Instants::after(pattern, zone, after)
        .next()
        .filter(|first| *first <= until)?;
    let (mut count, mut last) = (0, first);
    // `first` itself begins the count, and a tick at a change is the first of its stretch.
    let mut next = Some(Stretch::at(zone, first));
    let mut begin = Some(first);
    while let Some(stretch) = next {
        let part = part(pattern, &stretch, begin.take(), until);
        count += part.count;
        last = part.last.unwrap_or(last);
        next = stretch.following(zone).filter(|_| stretch.has_ended_at(until));
    }
    Some(Tally { count, first, last })
}

/// What one stretch adds to a tally.
struct Part {
    count: u64,
    last: Option<Timestamp>,
}

/// Counts in one stretch: from its start or from the tick `begin`, up to and with `until`.
fn part(pattern: &CivilPattern, stretch: &Stretch, begin: Option<Timestamp>, until: Timestamp) -> Part {
    let first = first_eligible(pattern, stretch);
    let shown = Range {
        start: begin.map_or(first, |begin| stretch.shown_at(begin).max(first)),
        end: end_of(stretch, until),
    };
    let at_change = carried(pattern, stretch)
        .filter(|tick| begin.is_none_or(|begin| begin == *tick))
        // A named time at the end of the gap is counted with the others.
        .filter(|_| pattern.first_from(first) != Some(first));
    let count = pattern.count(shown.clone());
    let last_shown = pattern.last_before(shown.end).filter(|_| count > 0);
    Part {
        count: count + u64::from(at_change.is_some()),
        last: last_shown.and_then(|last| stretch.instant_of(last)).or(at_change),
    }
}

/// The end of what the clocks show in a stretch up to and with this instant.
fn end_of(stretch: &Stretch, until: Timestamp) -> DateTime {
    match stretch.closing {
        Some(closing) if closing.at <= until => closing.shown_before(),
        _ => stretch
            .shown_at(until)
            .saturating_add(SignedDuration::from_secs(1)),
    }
}

/// The first time of a stretch that may match.
fn first_eligible(pattern: &CivilPattern, stretch: &Stretch) -> DateTime {
    match pattern.kind() {
        PatternKind::Fixed => stretch.first_new(),
        PatternKind::Interval => stretch.first_shown(),
    }
}

/// The start of the stretch, where a fixed line names a time that the clocks left out there.
///
/// A day of which nothing is left is not made up for.
fn carried(pattern: &CivilPattern, stretch: &Stretch) -> Option<Timestamp> {
    if pattern.kind() == PatternKind::Interval {
        return None;
    }
    let gap = stretch.gap()?;
    let mut found = pattern.first_from(gap.start);
    while let Some(named) = found.filter(|named| *named < gap.end) {
        if leaves_some_of(&gap, named.date()) {
            return stretch.opening.map(|opening| opening.at);
        }
        found = pattern.first_from(named.date().tomorrow().ok()?.into());
    }
    None
}
