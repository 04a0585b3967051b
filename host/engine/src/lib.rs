//! Decides which procedures are due, runs them, and recovers what was cut off.

mod anchoring;
mod attempt;
mod audit_desk;
mod calls;
mod cancellation;
mod deadline;
mod desk;
mod dispatch;
mod due;
mod ending;
mod engine;
mod grants;
mod masking;
mod notary;
mod pausing;
mod permission;
mod presence;
mod queue;
mod recovery;
mod retirement;
mod scheduler;
mod starting;
mod submission;
mod wait;
mod waiting;
mod watch;
mod why;

pub use cancellation::CancelRefused;
pub use desk::{AskReload, Desk};
pub use engine::{CheckInputs, Engine, Parts};
pub use recovery::Recovered;
pub use submission::Refused;
pub use wait::NoEnd;
pub use waiting::NotAnswered;
