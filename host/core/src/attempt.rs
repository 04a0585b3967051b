//! One try at a run, as the capabilities need to know it.

use crate::approval::Gate;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::grant::{GrantSection, Grants};
use crate::limits::Limits;
use crate::manifest::CapabilityRequest;
use crate::name::GateName;
use crate::port::capabilities::Capabilities;
use crate::port::{Calls, Lent};
use crate::resource::Resources;
use crate::run::{Run, RunId};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One try at a run.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The run, with this attempt under way.
    pub run: Run,
    /// What the plugin's manifest declares for the action.
    pub declared: Vec<CapabilityRequest>,
    /// What the procedure grants to the action, now.
    pub grants: Grants,
    /// Where the procedure would grant more to the action.
    pub grant_section: GrantSection,
    /// Who may answer what the plugin asks, by the names of the gates, now.
    pub gates: BTreeMap<GateName, Gate>,
    /// The procedure's definition, now.
    pub revision: Digest,
    /// What the operator named, now.
    pub resources: Arc<Resources>,
    /// How much it may use.
    pub limits: Limits,
    /// When its time is up, by the monotonic clock.
    pub deadline: Duration,
    /// Asks it to end.
    pub cancel: CancellationToken,
    /// When the newest run of this action that passed came to its end.
    pub previous_success: Option<Timestamp>,
    /// Runs other procedures in the place of this run.
    pub calls: Arc<dyn Calls>,
    /// Scratch databases that the run which called this one lends it.
    pub lent: Lent,
    /// The output of each step that an earlier attempt finished.
    pub finished_steps: FinishedSteps,
}

/// The outputs of steps by their names, as JSON; `null` for one that was skipped. They stay text, since
/// values take many times as much memory.
pub type FinishedSteps = BTreeMap<String, Arc<str>>;

/// Makes the capabilities of an attempt, and clears up after a run.
#[async_trait]
pub trait CapabilityProvider: Send + Sync {
    /// Everything that this attempt can do.
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure>;
    /// Removes what only the run could use: its scratch databases.
    async fn end_run(&self, run: RunId);
    /// Removes what runs left that are none of these; called once at the start.
    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure>;
}
