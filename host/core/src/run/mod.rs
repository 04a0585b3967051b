//! A run: one execution of a procedure, from the moment that it is queued to its end.

mod event;
mod id;
mod outcome;
mod record;
mod wait;
mod waiting;

pub use event::{AttemptEnd, IllegalTransition, RunEvent};
pub use id::{InvalidRunId, RunId};
pub use outcome::{Report, Verdict};
pub use record::{Queued, Run, RunState, Trigger};
pub use wait::{SUSPENSIONS_MAX, Wait};
