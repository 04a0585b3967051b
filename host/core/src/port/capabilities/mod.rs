//! What procedures can do to the world: one trait for each interface of the contract.
//!
//! The real ones live in `capabilities`, and `sandbox` binds them to a component. Whoever
//! implements these traits decides about grants, dry runs and limits; whoever calls them only
//! passes on.

mod egress;
mod files;
mod flow;
mod journal;
mod probe;
mod run;
mod sql;
mod state;

pub use egress::*;
pub use files::*;
pub use flow::*;
pub use journal::*;
pub use probe::*;
pub use run::*;
pub use sql::*;
pub use state::*;

use crate::failure::Failure;
use std::path::PathBuf;

/// Names with values.
pub type Pairs = Vec<(String, String)>;

/// The answer of every call.
pub type Answer<T> = Result<T, Failure>;

/// Everything that one attempt can do.
pub trait Capabilities: Send + Sync {
    /// `sopwith:plugin/run`
    fn run(&self) -> &dyn RunInfo;
    /// `sopwith:plugin/journal`
    fn journal(&self) -> &dyn Journal;
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
    /// `wasi:http/outgoing-handler`
    fn egress(&self) -> &dyn Egress;
    /// The directories that the guest sees, for reading, under `/NAME`.
    fn preopens(&self) -> Vec<Preopen>;
    /// Counts a call that the guest makes; an error when it has made too many.
    fn count_call(&self) -> Answer<()>;
    /// The number of calls so far.
    fn calls(&self) -> u64;
    /// Bytes of log so far.
    fn log_bytes(&self) -> u64;
}

/// A directory that a guest may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preopen {
    /// The operator's name for it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}
