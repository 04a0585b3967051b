//! Reads what starts a schedule without an instant: `after` and `event`.

use super::Reading;
use crate::document::Location;
use crate::raw;
use sopwith_core::name::EventName;
use sopwith_core::schedule::{After, AfterOn};

impl Reading<'_> {
    pub(super) fn after(
        &mut self,
        schedule: &raw::Schedule,
        written: &raw::After,
        place: &Location,
    ) -> Option<After> {
        self.without_instant(schedule, "`after`", place);
        let place = place.join("after");
        let action = self.named(&place.join("action"), written.action.as_deref());
        Some(After {
            procedure: self.named(&place.join("procedure"), written.procedure.as_deref())?,
            action,
            on: match written.on {
                Some(raw::AfterOn::Failure) => AfterOn::Failure,
                Some(raw::AfterOn::Any) => AfterOn::Any,
                Some(raw::AfterOn::Success) | None => AfterOn::Success,
            },
        })
    }

    pub(super) fn event(
        &mut self,
        schedule: &raw::Schedule,
        written: Option<&str>,
        place: &Location,
    ) -> Option<EventName> {
        self.without_instant(schedule, "`event`", place);
        let keys = [("catch_up", schedule.catch_up.is_some())];
        self.stray(&keys, "`event`, which nobody tells while no host runs", place);
        self.named(&place.join("event"), written)
    }

    /// What is only of use to a schedule that names instants.
    fn without_instant(&mut self, schedule: &raw::Schedule, of: &str, place: &Location) {
        let defers = matches!(schedule.outside, Some(raw::Outside::Defer));
        let keys = [
            ("seconds", schedule.seconds.is_some()),
            (
                "time_zone",
                schedule.time_zone.is_some() && !has_calendar(schedule),
            ),
            ("jitter", schedule.jitter.is_some()),
            ("outside", defers),
        ];
        self.stray(&keys, &format!("{of}, which names no instant"), place);
    }
}

/// Whether it says when it may start.
pub(super) fn has_calendar(schedule: &raw::Schedule) -> bool {
    schedule.windows.is_some() || schedule.blackouts.is_some() || schedule.holidays.is_some()
}
