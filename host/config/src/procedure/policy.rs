//! Reads what becomes of ticks: `catch_up`, `overlap`, `jitter` and `deadline`.

use super::Reading;
use crate::document::Location;
use crate::{quantity, raw};
use jiff::SignedDuration;
use sopwith_core::schedule::{Calendar, CatchUp, Overlap};

const CATCH_UP_MAX: u32 = 10;
const CATCH_UP_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// The host looks at what is due once a second.
const DEADLINE_LEAST: SignedDuration = SignedDuration::from_secs(1);

/// What becomes of the ticks of a schedule.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) catch_up: CatchUp,
    pub(crate) overlap: Overlap,
    pub(crate) jitter: SignedDuration,
    pub(crate) deadline: Option<SignedDuration>,
    pub(crate) calendar: Option<Calendar>,
}

impl Reading<'_> {
    pub(super) fn policy(&mut self, schedule: &raw::Schedule, place: &Location) -> Policy {
        let jitter = self.duration(
            schedule.jitter.as_deref(),
            &place.join("jitter"),
            "jitter = \"2m\"",
        );
        let at = place.join("deadline");
        let deadline = self.duration(schedule.deadline.as_deref(), &at, "deadline = \"2h\"");
        if deadline.is_some_and(|deadline| deadline < DEADLINE_LEAST) {
            let error = self
                .document
                .error(&at, "no tick starts within less than a second");
            self.diagnostics
                .push(error.hint("write it like:  deadline = \"2h\""));
        }
        Policy {
            catch_up: self.catch_up(schedule.catch_up.as_ref(), &place.join("catch_up")),
            overlap: overlap(schedule.overlap),
            jitter: jitter.unwrap_or_default(),
            deadline,
            calendar: self.calendar(schedule, place),
        }
    }

    fn catch_up(&mut self, written: Option<&raw::CatchUp>, place: &Location) -> CatchUp {
        match written {
            Some(raw::CatchUp::None) => CatchUp::None,
            Some(raw::CatchUp::All(all)) => {
                let at = place.join("all").join("window");
                let window = self.duration(all.window.as_deref(), &at, "window = \"24h\"");
                CatchUp::All {
                    max: all.max.unwrap_or(CATCH_UP_MAX),
                    window: window.unwrap_or(CATCH_UP_WINDOW),
                }
            }
            Some(raw::CatchUp::Latest) | None => CatchUp::Latest,
        }
    }

    /// A time with its unit; what is none is told.
    pub(super) fn duration(
        &mut self,
        text: Option<&str>,
        place: &Location,
        example: &str,
    ) -> Option<SignedDuration> {
        let read = quantity::time(text?)
            .and_then(|time| SignedDuration::try_from(time).map_err(|error| error.to_string()));
        let told = read.map_err(|why| {
            let error = self.document.error(place, why);
            self.diagnostics
                .push(error.hint(format!("write it like:  {example}")));
        });
        told.ok()
    }
}

fn overlap(written: Option<raw::Overlap>) -> Overlap {
    match written {
        Some(raw::Overlap::QueueOne) => Overlap::QueueOne,
        Some(raw::Overlap::Replace) => Overlap::Replace,
        Some(raw::Overlap::Allow(allow)) => Overlap::Allow {
            max: allow.max.unwrap_or(1),
        },
        Some(raw::Overlap::Forbid) | None => Overlap::Forbid,
    }
}
