//! Decides which procedures are due, runs them, and recovers what was cut off.

mod attempt;
mod cancellation;
mod deadline;
mod desk;
mod dispatch;
mod due;
mod ending;
mod engine;
mod grants;
mod masking;
mod pausing;
mod presence;
mod queue;
mod recovery;
mod scheduler;
mod starting;
mod submission;
mod wait;
mod watch;
mod why;

pub use cancellation::CancelRefused;
pub use desk::{AskReload, Desk};
pub use engine::{CheckInputs, Engine, Parts};
pub use recovery::Recovered;
pub use submission::Refused;
pub use wait::NoEnd;
