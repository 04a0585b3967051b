//! Decides which procedures are due, runs them, and recovers what was cut off.

mod anchoring;
mod attempt;
mod audit_desk;
mod cancellation;
mod desk;
mod dispatch;
mod due;
mod ending;
mod engine;
mod grants;
mod masking;
mod notary;
mod presence;
mod queue;
mod recovery;
mod retirement;
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
