//! Runs that people ask for.

use crate::engine::Engine;
use crate::start_gate::behind_its_gate;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::grant::Denial;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::operations::Submission;
use sopwith_core::port::{Pause, PauseScope, StoreError};
use sopwith_core::run::{Queued, Run, RunId, RunState, Trigger};
use std::collections::BTreeSet;
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
    /// A run that has not ended is not repeated.
    #[error("run `{id}` is {state}, and only a run that has ended can be repeated")]
    UnderWay {
        /// Which run.
        id: RunId,
        /// Where it stands.
        state: RunState,
    },
    /// Somebody, or the host, has paused it.
    #[error("{} is paused since {}, by {}{}", .0.scope, .0.since, .0.by, .0.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}")))]
    Paused(Box<Pause>),
    /// The host is about to end.
    #[error("the host is shutting down")]
    Stopping,
    /// The databases that a run was lent are gone with the run that lent them.
    #[error("run `{id}` was called by run `{caller}`, which lent it {}; those are gone", .lent.join(", "))]
    OnLent {
        /// Which run.
        id: RunId,
        /// Who called it.
        caller: RunId,
        /// In whose place the databases were.
        lent: Vec<String>,
    },
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
            Self::Paused(pause) => Some(match &pause.scope.procedure {
                None => "`sopwith resume --all` lets runs start again".to_owned(),
                Some(name) => {
                    format!(
                        "`sopwith resume {name}` ends that; `sopwith run --even-paused {name}` runs it once"
                    )
                }
            }),
            Self::OnLent { caller, .. } => Some(format!("`sopwith retry {caller}` does all of it again")),
            Self::Inputs { .. } | Self::UnderWay { .. } | Self::Stopping | Self::Store(_) => None,
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
            Refused::Paused(_)
            | Refused::UnderWay { .. }
            | Refused::OnLent { .. }
            | Refused::Store(StoreError::KeyTaken { .. }) => (FailureKind::Conflict, Blame::Operator),
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
        self.may_be_asked_for(&submission.procedure, &action, submission.even_paused)
            .await?;
        let queued = Queued {
            key: submission.key,
            retry_of: submission.retry_of,
            ..self.queued(ready, action, inputs, Trigger::Manual, actor, submission.dry_run)
        };
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

    /// Queues a run that does again what one did that has ended, by what is in force now.
    pub async fn retry(&self, id: RunId, actor: Actor) -> Result<Run, Refused> {
        let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
        if !run.state.is_final() {
            let state = run.state;
            return Err(Refused::UnderWay { id, state });
        }
        if let Some(caller) = run
            .queued
            .trigger
            .caller()
            .filter(|_| !run.queued.lent.is_empty())
        {
            let lent = run.queued.lent.iter().map(|name| format!("`{name}`")).collect();
            return Err(Refused::OnLent { id, caller, lent });
        }
        let submission = Submission {
            procedure: run.queued.procedure,
            action: Some(run.queued.action),
            inputs: run.queued.inputs,
            dry_run: run.queued.dry_run,
            key: None,
            retry_of: Some(id),
            even_paused: false,
        };
        self.submit(submission, actor).await
    }

    /// Whoever knows that it is paused may run it all the same, unless the whole host is.
    async fn may_be_asked_for(
        &self,
        procedure: &ProcedureName,
        action: &ActionName,
        even_paused: bool,
    ) -> Result<(), Refused> {
        let pauses = self.store().pauses().await?.into_iter();
        let mut refusing = pauses.filter(|pause| {
            let is_host = pause.scope == PauseScope::HOST;
            pause.scope.covers(procedure, action) && (is_host || !even_paused)
        });
        match refusing.next() {
            Some(pause) => Err(Refused::Paused(Box::new(pause))),
            None => Ok(()),
        }
    }

    /// Nobody calls what is paused by its name. A pause of the whole host lets what is under way go on, with
    /// all that it calls: half a deployment is worse than a whole one.
    pub(crate) fn may_be_called(
        &self,
        procedure: &ProcedureName,
        action: &ActionName,
    ) -> Result<(), Refused> {
        let pauses = self.pauses();
        let mut pauses = pauses.iter().filter(|pause| pause.scope != PauseScope::HOST);
        match pauses.find(|pause| pause.scope.covers(procedure, action)) {
            Some(pause) => Err(Refused::Paused(Box::new(pause.clone()))),
            None => Ok(()),
        }
    }

    /// The inputs with defaults, where the action can run with them.
    pub(crate) fn checked_inputs(
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
        let queued = Queued {
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
            start_by: None,
            key: None,
            retry_of: None,
            lent: BTreeSet::new(),
            gate: None,
        };
        behind_its_gate(ready, queued)
    }
}

/// The nearest of these names, if one is near.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = names.map(|name| (strsim::jaro_winkler(wanted, name), name));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 > 0.8).then(|| best.1.to_owned())
}
