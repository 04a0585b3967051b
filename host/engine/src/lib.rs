//! Decides which procedures are due, runs them, and recovers what was cut off.

mod attempt;
mod cancellation;
mod coming;
mod desk;
mod dispatch;
mod due;
mod ending;
mod engine;
mod grants;
mod masking;
mod plugins;
mod presence;
mod queue;
mod recovery;
mod retention;
mod scheduler;
mod submission;
mod wait;
mod why;

pub use cancellation::CancelRefused;
pub use desk::{AskReload, Desk};
pub use engine::{CheckInputs, Engine, Parts};
pub use recovery::Recovered;
pub use submission::Refused;
pub use wait::NoEnd;
