//! When a procedure starts by itself: pure functions of a schedule and an instant.

mod at;
mod civil;
mod cron;
mod every;
#[cfg(test)]
mod fuzz;
mod jitter;
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

pub use at::{At, InvalidAt};
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
}

impl Schedule {
    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.when.next(after)
    }

    /// When a tick of this schedule of the procedure starts: at its instant, or later by its jitter.
    pub fn start_of(&self, procedure: &ProcedureName, nominal_at: Timestamp) -> Timestamp {
        if self.jitter.is_zero() {
            return nominal_at;
        }
        let until_next = self.next(nominal_at).map(|next| nominal_at.duration_until(next));
        let most = until_next.map_or(self.jitter, |gap| gap.min(self.jitter));
        let later = jitter::jitter(&format!("{procedure}/{}", self.name), nominal_at, most);
        nominal_at.checked_add(later).unwrap_or(nominal_at)
    }

    /// Until when something that is to start at this instant has to have started.
    pub fn start_by(&self, start: Timestamp) -> Option<Timestamp> {
        self.deadline
            .map(|deadline| start.checked_add(deadline).unwrap_or(Timestamp::MAX))
    }
}
