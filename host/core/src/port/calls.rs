//! Runs of other procedures, as one attempt asks for them.

use crate::failure::{Blame, Failure, FailureKind};
use crate::name::{ActionName, ProcedureName};
use crate::run::{Run, RunId};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// How deep calls may nest.
pub const CALL_DEPTH_MAX: usize = 8;

/// A run that one attempt wants in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureCall {
    /// Which procedure.
    pub procedure: ProcedureName,
    /// Which action; none for the procedure's default.
    pub action: Option<ActionName>,
    /// What the run is told, before defaults are filled in.
    pub inputs: Value,
    /// The call within the run that calls: a later attempt that makes it again gets the same run.
    pub call: String,
    /// Scratch databases of the run that calls.
    pub lent: Lent,
}

/// Scratch databases of another run, by the names of the databases in whose place they stand: whose, and its
/// number there.
pub type Lent = BTreeMap<String, (RunId, u32)>;

/// Runs other procedures in the place of one run.
#[async_trait]
pub trait Calls: Send + Sync + fmt::Debug {
    /// Runs a procedure until it has ended or waits; one that was begun by an earlier attempt goes on. A run that
    /// is in neither state was cut off by the end of the host.
    async fn call(&self, call: ProcedureCall) -> Result<Run, Failure>;
    /// The newest run of an action, by default the procedure's own, that passed; never a dry one.
    async fn last_passed(
        &self,
        procedure: &ProcedureName,
        action: Option<&ActionName>,
    ) -> Result<Option<Run>, Failure>;
    /// Waits until nothing is under way that nobody waits for any more.
    async fn settle(&self);
}

/// Calls nobody: for attempts outside of a host, such as those of tests.
#[derive(Debug, Clone, Copy)]
pub struct NoCalls;

#[async_trait]
impl Calls for NoCalls {
    async fn call(&self, call: ProcedureCall) -> Result<Run, Failure> {
        let message = format!("there is no host that could run `{}`", call.procedure);
        Err(Failure::new(FailureKind::Unsupported, Blame::Host, message))
    }

    async fn last_passed(&self, _: &ProcedureName, _: Option<&ActionName>) -> Result<Option<Run>, Failure> {
        Ok(None)
    }

    async fn settle(&self) {}
}
