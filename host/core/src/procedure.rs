//! A procedure: what the operator wrote down about one subject, validated.

use crate::approval::Gate;
use crate::digest::Digest;
use crate::grant::{GrantSection, Grants};
use crate::limits::Limits;
use crate::lock::LockName;
use crate::name::{ActionName, GateName, PluginName, ProcedureName};
use crate::retention::Retention;
use crate::retry::Retry;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One subject with every action of its plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Procedure {
    /// The stem of its file.
    pub name: ProcedureName,
    /// Its file, as the operator would write it.
    pub file: PathBuf,
    /// What the operator says of it.
    pub summary: String,
    /// Whom to ask about it.
    pub owner: Option<String>,
    /// The operator's own version of it.
    pub version: Option<u32>,
    /// The plugin that carries it out.
    pub plugin: PluginName,
    /// The only bytes of the plugin that are accepted.
    pub plugin_pinned: Option<Digest>,
    /// What `run NAME` means.
    pub action: ActionName,
    /// When it starts by itself.
    pub schedules: Vec<Schedule>,
    /// What all its actions may do.
    pub grants: Grants,
    /// What one action may do beyond that.
    pub action_grants: BTreeMap<ActionName, Grants>,
    /// The plugin's settings, with defaults filled in.
    pub settings: Value,
    /// How much an attempt may use.
    pub limits: Limits,
    /// Whether and when a failed attempt is followed by another.
    pub retry: Retry,
    /// How often a run that was cut off is taken up again.
    pub resume_max: u32,
    /// After so many failed runs of an action in a row its schedules are paused.
    pub pause_after_failures: Option<u32>,
    /// What its runs lock exclusively; none: the databases of the action's grants.
    pub locks: Option<BTreeSet<LockName>>,
    /// Who may answer what its runs ask, by the names of the gates.
    #[serde(default)]
    pub gates: BTreeMap<GateName, Gate>,
    /// How long its history is kept.
    pub retention: Retention,
    /// The digest of all of the above that an operator can write.
    pub revision: Digest,
}

impl Procedure {
    /// What this action may do: the procedure's grants and those of the action alone.
    pub fn grants_of(&self, action: &ActionName) -> Grants {
        match self.action_grants.get(action) {
            Some(more) => self.grants.with(more),
            None => self.grants.clone(),
        }
    }

    /// Whether it is what `run NAME` or one of the schedules means.
    pub fn starts(&self, action: &ActionName) -> bool {
        let scheduled = || self.schedules.iter().any(|schedule| schedule.action == *action);
        *action == self.action || scheduled()
    }

    /// How many attempts of this action may be under way at once: one, unless a schedule allows more.
    pub fn at_once(&self, action: &ActionName) -> usize {
        let schedules = self
            .schedules
            .iter()
            .filter(|schedule| schedule.action == *action);
        let most = schedules.map(|schedule| schedule.overlap.at_once()).max();
        most.unwrap_or(1)
    }

    /// Where a grant to this action belongs: one that somebody has to ask for by its name is granted
    /// more alone.
    pub fn section_of(&self, action: &ActionName) -> GrantSection {
        if self.starts(action) {
            GrantSection::Procedure
        } else {
            GrantSection::Action(action.clone())
        }
    }
}
