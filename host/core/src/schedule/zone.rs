//! Changes of clocks in a time zone, and the stretches of time between them.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// A change of clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) at: Timestamp,
    before: Offset,
    after: Offset,
}

impl Change {
    /// The first one later than this instant.
    pub(super) fn following(zone: &TimeZone, instant: Timestamp) -> Option<Self> {
        let before = zone.to_offset(instant);
        // Some transitions rename the zone and leave the clocks alone.
        let transition = zone
            .following(instant)
            .find(|transition| transition.offset() != before)?;
        Some(Self {
            at: transition.timestamp(),
            before,
            after: transition.offset(),
        })
    }

    /// The last one that is not later than this instant.
    pub(super) fn preceding(zone: &TimeZone, instant: Timestamp) -> Option<Self> {
        let end = instant.checked_add(NANOSECOND).unwrap_or(Timestamp::MAX);
        zone.preceding(end).find_map(|transition| {
            let (at, after) = (transition.timestamp(), transition.offset());
            let before = zone.to_offset(at.checked_sub(NANOSECOND).ok()?);
            (before != after).then_some(Self { at, before, after })
        })
    }

    /// What the clocks would have shown at the change, had they run on.
    pub(super) fn shown_before(&self) -> DateTime {
        self.before.to_datetime(self.at)
    }

    /// What the clocks show from the change on.
    pub(super) fn shown_after(&self) -> DateTime {
        self.after.to_datetime(self.at)
    }

    /// Whether clocks change on this local day.
    pub(super) fn is_on(&self, date: Date) -> bool {
        self.shown_before().date() == date || self.shown_after().date() == date
    }
}

/// A stretch of time in which the clocks of a zone run on without a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// The change that it begins with.
    pub(super) opening: Option<Change>,
    /// The change that ends it; its instant is no part of the stretch.
    pub(super) closing: Option<Change>,
    offset: Offset,
}

impl Stretch {
    /// The one that contains this instant.
    pub(super) fn at(zone: &TimeZone, instant: Timestamp) -> Self {
        Self {
            opening: Change::preceding(zone, instant),
            closing: Change::following(zone, instant),
            offset: zone.to_offset(instant),
        }
    }

    /// The one after it.
    pub(super) fn following(&self, zone: &TimeZone) -> Option<Self> {
        let opening = self.closing?;
        Some(Self {
            opening: Some(opening),
            closing: Change::following(zone, opening.at),
            offset: opening.after,
        })
    }

    /// What the clocks show at an instant of the stretch.
    pub(super) fn shown_at(&self, instant: Timestamp) -> DateTime {
        self.offset.to_datetime(instant)
    }

    /// When the clocks would show this time, had they always run as in this stretch.
    pub(super) fn instant_of(&self, shown: DateTime) -> Option<Timestamp> {
        self.offset.to_timestamp(shown).ok()
    }

    /// Whether it has ended at this instant.
    pub(super) fn has_ended_at(&self, instant: Timestamp) -> bool {
        self.closing.is_some_and(|closing| instant >= closing.at)
    }

    /// The first time that the clocks show.
    pub(super) fn first_shown(&self) -> DateTime {
        self.opening
            .map_or(DateTime::MIN, |opening| opening.shown_after())
    }

    /// The first time that the clocks show and had not shown before the stretch.
    pub(super) fn first_new(&self) -> DateTime {
        self.opening.map_or(DateTime::MIN, |opening| {
            opening.shown_after().max(opening.shown_before())
        })
    }

    /// The times that the clocks left out as the stretch began.
    pub(super) fn gap(&self) -> Option<Range<DateTime>> {
        let opening = self.opening?;
        let gap = opening.shown_before()..opening.shown_after();
        (!gap.is_empty()).then_some(gap)
    }
}

/// Whether a gap leaves something of a local day.
pub(super) fn leaves_some_of(gap: &Range<DateTime>, date: Date) -> bool {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let next_midnight = midnight.saturating_add(SignedDuration::from_hours(24));
    midnight < gap.start || gap.end < next_midnight
}
