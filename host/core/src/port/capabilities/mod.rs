//! What procedures can do to the world: one trait for each interface of the contract.
//!
//! The real ones live in `capabilities`, and `sandbox` binds them to a component. Whoever
//! implements these traits decides about grants, dry runs and limits; whoever calls them only
//! passes on.

mod approvals;
mod commands;
mod egress;
mod files;
mod flow;
mod journal;
mod probe;
mod procedures;
mod run;
mod secrets;
mod sql;
mod state;

pub use approvals::*;
pub use commands::*;
pub use egress::*;
pub use files::*;
pub use flow::*;
pub use journal::*;
pub use probe::*;
pub use procedures::*;
pub use run::*;
pub use secrets::*;
pub use sql::*;
pub use state::*;

use crate::failure::Failure;
use crate::limits::Usage;
use crate::run::Wait;
use async_trait::async_trait;
use std::fs::File;
use std::path::PathBuf;

/// Names with values.
pub type Pairs = Vec<(String, String)>;

/// The answer of every call.
pub type Answer<T> = Result<T, Failure>;

/// Everything that one attempt can do.
#[async_trait]
pub trait Capabilities: Send + Sync {
    /// `sopwith:plugin/run`
    fn run(&self) -> &dyn RunInfo;
    /// `sopwith:plugin/journal`
    fn journal(&self) -> &dyn Journal;
    /// `sopwith:plugin/approvals`
    fn approvals(&self) -> &dyn Approvals;
    /// `sopwith:plugin/state`
    fn state(&self) -> &dyn State;
    /// `sopwith:plugin/sql`
    fn sql(&self) -> &dyn Sql;
    /// `sopwith:plugin/flow`
    fn flow(&self) -> &dyn Flow;
    /// `sopwith:plugin/files`
    fn files(&self) -> &dyn Files;
    /// `sopwith:plugin/probe`
    fn probe(&self) -> &dyn Probe;
    /// `sopwith:plugin/commands`
    fn commands(&self) -> &dyn Commands;
    /// `sopwith:plugin/secrets`
    fn secrets(&self) -> &dyn Secrets;
    /// `sopwith:plugin/secret-reveal`
    fn secret_reveal(&self) -> &dyn SecretReveal;
    /// `sopwith:plugin/procedures`
    fn procedures(&self) -> &dyn Procedures;
    /// `wasi:http/outgoing-handler`
    fn egress(&self) -> &dyn Egress;
    /// The directories that the guest sees, for reading, under `/NAME`.
    fn preopens(&self) -> Vec<Preopen>;
    /// Closes a file of such a directory, at a time when that takes away no lock of the host's own.
    fn close_file(&self, file: File);
    /// What covers secrets in the files of such a directory; none where no secret is known.
    fn cover(&self) -> Option<Box<dyn Cover>>;
    /// Waits until all that the guest began has ended, and writes down what was counted and is not
    /// yet on record; called once the guest has ended.
    async fn settle(&self);
    /// What the run waits for, once a call has suspended it; whatever the guest made of that call.
    fn suspension(&self) -> Option<Wait>;
    /// Counts a call that the guest makes; an error when it has made too many.
    fn count_call(&self) -> Answer<()>;
    /// What was used so far of those limits that are counted here; the others are zero.
    fn used(&self) -> Usage;
}

/// Covers what is known as a secret at one moment, without moving anything.
pub trait Cover: Send + Sync {
    /// How many bytes before and behind a piece decide what is covered in it.
    fn reach(&self) -> usize;
    /// Puts a `*` in the place of each byte of a secret.
    fn cover(&self, bytes: &mut [u8]);
}

/// A directory that a guest may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preopen {
    /// The operator's name for it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}
