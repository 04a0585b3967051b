//! Runs that people ask for.

use crate::engine::Engine;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::grant::Denial;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::StoreError;
use sopwith_core::port::operations::Submission;
use sopwith_core::run::{Queued, Run, RunId, Trigger};
use std::sync::Arc;

/// Why a run was not queued.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Nobody wrote such a procedure.
    #[error("there is no procedure `{name}`")]
    NoProcedure {
        /// What was asked for.
        name: ProcedureName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// The plugin has no such action.
    #[error("plugin `{plugin}` of `{procedure}` has no action `{action}`")]
    NoAction {
        /// Of this procedure.
        procedure: ProcedureName,
        /// The plugin.
        plugin: String,
        /// What was asked for.
        action: ActionName,
        /// What there is.
        actions: Vec<String>,
    },
    /// The inputs do not fit the action.
    #[error("the inputs of `{action}` are wrong: {why}")]
    Inputs {
        /// The action.
        action: ActionName,
        /// What is wrong with them.
        why: String,
    },
    /// The action needs what is not granted.
    #[error("`{action}` of `{procedure}` cannot start: {}", .lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Denied {
        /// Of this procedure.
        procedure: ProcedureName,
        /// The action.
        action: ActionName,
        /// What it lacks.
        lacks: Vec<Denial>,
    },
    /// The host is about to end.
    #[error("the host is shutting down")]
    Stopping,
    /// The record cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refused {
    /// What would mend it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProcedure {
                nearest: Some(name), ..
            } => Some(format!("did you mean `{name}`?")),
            Self::NoProcedure { .. } => Some(
                "`sopwith status` lists them, and says whether the last change of the files was refused"
                    .to_owned(),
            ),
            Self::NoAction { actions, .. } => Some(format!("its actions are {}", actions.join(", "))),
            Self::Denied { lacks, .. } => lacks.first().map(|denial| denial.hint.clone()),
            Self::Inputs { .. } | Self::Stopping | Self::Store(_) => None,
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (kind, blame) = match &refused {
            Refused::NoProcedure { .. } | Refused::NoAction { .. } => {
                (FailureKind::NotFound, Blame::Operator)
            }
            Refused::Inputs { .. } => (FailureKind::Invalid, Blame::Operator),
            Refused::Denied { .. } => (FailureKind::Denied, Blame::Operator),
            Refused::Stopping => (FailureKind::Unavailable, Blame::Host),
            Refused::Store(_) => (FailureKind::Failed, Blame::Host),
        };
        Self {
            hint: refused.hint(),
            ..Self::new(kind, blame, refused.to_string())
        }
    }
}

impl Engine {
    /// Queues a run; it starts as soon as a place and its locks are free.
    pub async fn submit(&self, submission: Submission, actor: Actor) -> Result<Run, Refused> {
        if self.is_stopping() {
            return Err(Refused::Stopping);
        }
        let ready = &*self.ready(&submission.procedure)?;
        let action = submission
            .action
            .clone()
            .unwrap_or_else(|| ready.procedure.action.clone());
        let inputs = self.checked_inputs(ready, &action, submission.inputs)?;
        let queued = self.queued(ready, action, inputs, Trigger::Manual, actor, submission.dry_run);
        let run = self.store().queue(queued).await?;
        self.enqueue(&run);
        Ok(run)
    }

    /// The procedure of this name that is in force.
    pub(crate) fn ready(&self, name: &ProcedureName) -> Result<Arc<ReadyProcedure>, Refused> {
        let generation = self.generation();
        let names = || generation.procedures.keys().map(ProcedureName::as_str);
        let ready = generation.procedures.get(name).cloned();
        ready.ok_or_else(|| Refused::NoProcedure {
            name: name.clone(),
            nearest: nearest(name.as_str(), names()),
        })
    }

    fn checked_inputs(
        &self,
        ready: &ReadyProcedure,
        action: &ActionName,
        inputs: Value,
    ) -> Result<Value, Refused> {
        let manifest = ready.plugin.manifest();
        let offered = manifest.action(Some(action)).ok_or_else(|| Refused::NoAction {
            procedure: ready.procedure.name.clone(),
            plugin: manifest.name.to_string(),
            action: action.clone(),
            actions: manifest
                .actions
                .iter()
                .map(|action| action.name.to_string())
                .collect(),
        })?;
        if let Some(lacks) = ready.unavailable.get(action) {
            let (procedure, lacks) = (ready.procedure.name.clone(), lacks.clone());
            return Err(Refused::Denied {
                procedure,
                action: action.clone(),
                lacks,
            });
        }
        let check = self.check_inputs();
        check(&offered.inputs, inputs).map_err(|why| Refused::Inputs {
            action: action.clone(),
            why,
        })
    }

    /// What a run of this procedure is, as things stand now.
    pub(crate) fn queued(
        &self,
        ready: &ReadyProcedure,
        action: ActionName,
        inputs: Value,
        trigger: Trigger,
        actor: Actor,
        dry_run: bool,
    ) -> Queued {
        let now = self.now();
        Queued {
            id: RunId::new(now, self.random()),
            procedure: ready.procedure.name.clone(),
            action,
            trigger,
            actor,
            dry_run,
            plugin: ready.procedure.plugin.clone(),
            plugin_digest: ready.plugin.digest(),
            revision: ready.procedure.revision,
            settings: ready.procedure.settings.clone(),
            inputs,
            queued_at: now,
        }
    }
}

fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = names.map(|name| (strsim::jaro_winkler(wanted, name), name));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 > 0.8).then(|| best.1.to_owned())
}
