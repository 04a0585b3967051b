//! People: asks whether the run may go on, or that somebody did or saw something.
//!
//! The action ends where it asks, and is called again from its start once there is an answer. An answer is bound to
//! what was asked, so whatever is laid before people comes from a [step](crate::step), whose output stays the same:
//!
//! ```no_run
//! use sopwith::{approvals, step};
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let plan: Vec<String> = step("plan", |_| Ok(vec!["0042_add_index".to_owned()]))?;
//! let decision = approvals::request("release", "Apply these migrations?", &plan)?;
//! if !decision.approved {
//!     sopwith::info!("rejected by {}", decision.by.join(", "));
//! }
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::approvals as host;
use crate::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;

/// What people decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the run may go on, or the thing was done or seen.
    pub approved: bool,
    /// Who approved, or who rejected: `user:anna`.
    pub by: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// What they said of it.
    pub note: String,
    /// Whether one person decided in spite of the gate.
    pub breaks_glass: bool,
}

/// Asks under the name of a gate of the procedure's file whether the run may go on. One that nobody answers in time
/// is an error of the kind `timeout`.
pub fn request(gate: &str, prompt: &str, evidence: &impl Serialize) -> Result<Decision> {
    decision(host::request(gate, prompt, &json(evidence)?)?)
}

/// Asks somebody to do or see something, and to say so under their name.
pub fn attest(item: &str, prompt: &str, evidence: &impl Serialize) -> Result<Decision> {
    decision(host::attest(item, prompt, &json(evidence)?)?)
}

fn json(evidence: &impl Serialize) -> Result<String> {
    serde_json::to_string(evidence).context("the evidence")
}

fn decision(decision: host::Decision) -> Result<Decision> {
    let at = decision.at.parse();
    Ok(Decision {
        approved: decision.approved,
        at: at.with_context(|| format!("the instant `{}`", decision.at))?,
        breaks_glass: crate::pair(&decision.extra, "breaks-glass") == Some("yes"),
        by: decision.by,
        note: decision.note,
    })
}
