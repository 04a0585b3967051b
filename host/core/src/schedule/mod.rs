//! When a procedure starts by itself: pure functions of a schedule and an instant.

mod after;
mod at;
mod calendar;
mod civil;
mod cron;
mod every;
#[cfg(test)]
mod fuzz;
mod jitter;
#[cfg(test)]
mod oracle;
mod policy;
#[cfg(test)]
mod properties;
mod spread;
#[cfg(test)]
mod tests;
mod ticks;
mod warning;
mod when;
mod zone;

pub use after::{After, AfterOn};
pub use at::{At, InvalidAt};
pub use calendar::{Calendar, Closed, InvalidSpan, Outside, Phase, Span, Weekdays};
pub use cron::{Cron, CronFields, InvalidCron};
pub use every::{Every, InvalidEvery};
pub use policy::{CatchUp, Overlap};
pub use spread::{InvalidSpread, spread};
pub use ticks::Tally;
pub use warning::CronWarning;
pub use when::When;

use crate::name::{ActionName, ProcedureName, ScheduleName};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One `[[schedule]]` of a procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name: `name`, or its action.
    pub name: ScheduleName,
    /// What it starts.
    pub action: ActionName,
    /// What the run is told, with defaults filled in.
    pub inputs: Value,
    /// Its instants.
    pub when: When,
    /// What becomes of ticks that passed while no host ran.
    pub catch_up: CatchUp,
    /// What becomes of ticks while an earlier run has not ended.
    pub overlap: Overlap,
    /// A tick starts later than its instant by less than this, and before the next one.
    pub jitter: SignedDuration,
    /// A tick that does not start within this is missed.
    pub deadline: Option<SignedDuration>,
    /// When its ticks may start, where that is not always.
    pub calendar: Option<Calendar>,
}

fn before(instant: Timestamp) -> Timestamp {
    instant
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MIN)
}

impl Schedule {
    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.when.next(after)
    }

    /// The first instant after this one whose tick is not skipped.
    pub fn next_allowed(&self, after: Timestamp) -> Option<Timestamp> {
        let mut next = self.next(after)?;
        let Some(calendar) = self
            .calendar
            .as_ref()
            .filter(|one| one.outside() == Outside::Skip)
        else {
            return Some(next);
        };
        for _ in 0..calendar::PHASES_MAX {
            let phase = calendar.phase(next);
            if phase.closed.is_none() {
                return Some(next);
            }
            next = self.next(before(phase.until?))?;
        }
        None
    }

    /// When a tick of this schedule of the procedure starts: at its instant, or when the calendar allows it,
    /// and later by its jitter. One that is skipped would start at its instant; one that is never allowed
    /// starts at the end of time.
    pub fn start_of(&self, procedure: &ProcedureName, nominal_at: Timestamp) -> Timestamp {
        let (base, closes_at) = match &self.calendar {
            None => (nominal_at, None),
            Some(calendar) => match calendar.opening(nominal_at) {
                Some(phase) if phase.from == nominal_at => (nominal_at, phase.until),
                _ if calendar.outside() == Outside::Skip => return nominal_at,
                Some(phase) => (phase.from, phase.until),
                None => return Timestamp::MAX,
            },
        };
        if self.jitter.is_zero() {
            return base;
        }
        let ends = [self.next(base), closes_at].into_iter().flatten();
        let most = ends
            .map(|end| base.duration_until(end))
            .fold(self.jitter, Ord::min);
        let later = jitter::jitter(&format!("{procedure}/{}", self.name), nominal_at, most);
        base.checked_add(later).unwrap_or(base)
    }

    /// When the first tick after this instant starts that is not skipped.
    pub fn next_start(&self, procedure: &ProcedureName, after: Timestamp) -> Option<Timestamp> {
        let start = self.start_of(procedure, self.next_allowed(after)?);
        (start < Timestamp::MAX).then_some(start)
    }

    /// When a tick starts; none where it is skipped, or never allowed.
    pub fn start_unless_skipped(
        &self,
        procedure: &ProcedureName,
        nominal_at: Timestamp,
    ) -> Option<Timestamp> {
        let start = Some(self.start_of(procedure, nominal_at)).filter(|_| !self.skips(nominal_at));
        start.filter(|start| *start < Timestamp::MAX)
    }

    /// Why a tick of this instant does not start then.
    pub fn closed(&self, nominal_at: Timestamp) -> Option<Closed> {
        self.calendar.as_ref()?.closed(nominal_at)
    }

    fn skips(&self, nominal_at: Timestamp) -> bool {
        let skipping = self
            .calendar
            .as_ref()
            .filter(|one| one.outside() == Outside::Skip);
        skipping.is_some_and(|calendar| calendar.closed(nominal_at).is_some())
    }

    /// Until when something that is to start at this instant has to have started.
    pub fn start_by(&self, start: Timestamp) -> Option<Timestamp> {
        self.deadline
            .map(|deadline| start.checked_add(deadline).unwrap_or(Timestamp::MAX))
    }
}
