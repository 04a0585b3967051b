//! The record that a plugin leaves: steps, findings, figures, evidence.
//!
//! ```no_run
//! use sopwith::{Finding, Severity, journal, step};
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let sizes: Vec<u64> = step("measure", |step| {
//!     step.progress(1, 2, "tables");
//!     Ok(vec![3, 5])
//! })?;
//! let finding = Finding::new(Severity::High, "ledger/balanced", "entry 7", "an entry does not balance");
//! journal::add_findings(&[finding.with_detail("3 is owed, 5 is had")])?;
//! journal::checked("ledger/balanced", 2)?;
//! journal::metric("tables", 2.0, "1");
//! # Ok(())
//! # }
//! ```

mod finding;
mod log;
mod step;

pub use finding::{Finding, OpenFinding, Severity, add_findings, checked, open_findings};
pub use log::{Level, log};
pub use step::{Step, skip_step, step};

use crate::Result;
use crate::bindings::sopwith::plugin::journal as host;

pub use host::{metric, redact};

/// Keeps a small piece of evidence with the run.
pub fn attach(name: &str, media_type: &str, content: impl AsRef<[u8]>) -> Result<()> {
    Ok(host::attach(name, media_type, content.as_ref())?)
}
