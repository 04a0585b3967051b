//! When a procedure starts by itself: pure functions of a schedule and an instant.

mod at;
mod civil;
mod cron;
mod every;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod oracle;
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
pub use spread::{InvalidSpread, spread};
pub use ticks::Tally;
pub use warning::CronWarning;
pub use when::When;

use crate::name::{ActionName, ScheduleName};
use jiff::Timestamp;
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
}

/// What becomes of ticks that passed while no host ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The newest one runs, the others are missed.
    #[default]
    Latest,
    /// All are missed.
    None,
}

impl Schedule {
    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.when.next(after)
    }
}
