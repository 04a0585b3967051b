//! Answers what people and programs ask of a host, for one actor.

use crate::coming::coming;
use crate::engine::Engine;
use crate::grants::used_grants;
use crate::plugins;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::journal::JournalEntry;
use sopwith_core::name::{ActionName, EventName, PluginName, ProcedureName, ResourceName};
use sopwith_core::port::capabilities::OpenFinding;
use sopwith_core::port::operations::{
    ActionStatus, ComingFilter, ComingTick, Explanation, Operations, PluginDetails, ProcedureGrants,
    ProcedureStatus, ReloadStatus, Reply, RunDetails, Status, Submission, Triggered,
};
use sopwith_core::port::{
    Pause, PauseScope, Reloads, Rollback, RolledBack, RunFilter, SecretSet, SecretStatus,
};
use sopwith_core::role::Role;
use sopwith_core::run::{Run, RunId};
use sopwith_core::secret::{Secret, SecretValue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries of a record that one question returns at most.
const JOURNAL_PAGE: u32 = 1_000;
/// Runs that one question returns at most.
const RUNS_MAX: u32 = 10_000;

/// Says what became of the newest change of a file.
pub type AskReload = Arc<dyn Fn() -> ReloadStatus + Send + Sync>;

/// Answers for one actor.
#[derive(Clone)]
pub struct Desk {
    pub(crate) engine: Engine,
    pub(crate) actor: Actor,
    pub(crate) groups: Vec<String>,
    reload: AskReload,
    reloads: Option<Arc<dyn Reloads>>,
}

impl Desk {
    /// A desk at which this actor asks.
    pub fn new(engine: Engine, actor: Actor, reload: AskReload) -> Self {
        Self {
            engine,
            actor,
            groups: Vec::new(),
            reload,
            reloads: None,
        }
    }

    /// The same for an actor who is in these groups of the operating system.
    #[must_use]
    pub fn with_groups(self, groups: Vec<String>) -> Self {
        Self { groups, ..self }
    }

    /// The same, at which files can be taken up when somebody asks for it.
    #[must_use]
    pub fn with_reloads(mut self, reloads: Arc<dyn Reloads>) -> Self {
        self.reloads = Some(reloads);
        self
    }

    async fn procedure_status(&self, ready: &ReadyProcedure) -> Result<ProcedureStatus, Failure> {
        let procedure = &ready.procedure;
        let mut actions = Vec::new();
        for action in self.actions_of_interest(ready).await? {
            actions.push(self.action_status(ready, action).await?);
        }
        Ok(ProcedureStatus {
            name: procedure.name.clone(),
            summary: procedure.summary.clone(),
            owner: procedure.owner.clone(),
            version: procedure.version,
            plugin: procedure.plugin.clone(),
            plugin_digest: ready.plugin.digest(),
            held: ready.held.clone(),
            actions,
            unavailable: ready.unavailable.clone(),
            open_findings: self.engine.store().open_findings_count(&procedure.name).await?,
        })
    }

    /// The default action, those with a schedule and those that have run.
    async fn actions_of_interest(&self, ready: &ReadyProcedure) -> Result<Vec<ActionName>, Failure> {
        let mut actions: BTreeSet<ActionName> = ready
            .procedure
            .schedules
            .iter()
            .map(|schedule| schedule.action.clone())
            .collect();
        actions.insert(ready.procedure.action.clone());
        for offered in &ready.plugin.manifest().actions {
            if !actions.contains(&offered.name)
                && self.newest(&ready.procedure.name, &offered.name).await?.is_some()
            {
                actions.insert(offered.name.clone());
            }
        }
        Ok(actions.into_iter().collect())
    }

    async fn action_status(
        &self,
        ready: &ReadyProcedure,
        action: ActionName,
    ) -> Result<ActionStatus, Failure> {
        let name = &ready.procedure.name;
        let now = self.engine.now();
        let schedules = ready
            .procedure
            .schedules
            .iter()
            .filter(|schedule| schedule.action == action);
        Ok(ActionStatus {
            last_run: self.newest(name, &action).await?,
            last_passed_at: self.engine.store().previous_success(name, &action).await?,
            next_at: schedules
                .filter_map(|schedule| schedule.next_start(name, now))
                .min(),
            action,
        })
    }

    /// The newest run that was not dry, which counts for nothing.
    async fn newest(&self, procedure: &ProcedureName, action: &ActionName) -> Result<Option<Run>, Failure> {
        let filter = RunFilter {
            procedure: Some(procedure.clone()),
            action: Some(action.clone()),
            dry_run: Some(false),
            limit: Some(1),
            ..RunFilter::default()
        };
        Ok(self.engine.store().runs(&filter).await?.into_iter().next())
    }

    /// Finds the run that is meant.
    async fn meant(&self, meant: &str) -> Result<Run, Failure> {
        if let Ok(procedure) = meant.parse::<ProcedureName>() {
            let filter = RunFilter {
                procedure: Some(procedure),
                limit: Some(1),
                ..RunFilter::default()
            };
            if let Some(run) = self.engine.store().runs(&filter).await?.into_iter().next() {
                return Ok(run);
            }
        }
        let mut runs = self.engine.store().runs_like(meant).await?;
        match runs.len() {
            1 => Ok(runs.remove(0)),
            0 => {
                let message = format!("there is no run `{meant}`");
                Err(not_found(message).hint("`sopwith runs` lists them"))
            }
            _ => {
                let ids: Vec<_> = runs.iter().map(|run| run.id().to_string()).collect();
                let message = format!("`{meant}` means more than one run");
                Err(Failure::new(FailureKind::Invalid, Blame::Operator, message)
                    .hint(format!("one of {}", ids.join(", "))))
            }
        }
    }

    pub(crate) fn ready(&self, name: &ProcedureName) -> Result<Arc<ReadyProcedure>, Failure> {
        Ok(self.engine.ready(name)?)
    }

    fn one_or_all(&self, name: Option<&ProcedureName>) -> Result<Vec<Arc<ReadyProcedure>>, Failure> {
        match name {
            Some(name) => Ok(vec![self.ready(name)?]),
            None => Ok(self.engine.generation().procedures.values().cloned().collect()),
        }
    }

    /// Refuses a name that neither a file nor the record has; what was removed is known still.
    async fn must_be_known(&self, name: &ProcedureName) -> Result<(), Failure> {
        let filter = RunFilter {
            procedure: Some(name.clone()),
            limit: Some(1),
            ..RunFilter::default()
        };
        if self.engine.store().runs(&filter).await?.is_empty() {
            self.ready(name)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Operations for Desk {
    async fn status(&self) -> Result<Status, Failure> {
        self.require(Role::Viewer)?;
        let generation = self.engine.generation();
        let mut procedures = Vec::new();
        for ready in generation.procedures.values() {
            procedures.push(self.procedure_status(ready).await?);
        }
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            up_since: self.engine.up_since(),
            generation: generation.digest,
            reload: (self.reload)(),
            procedures,
            unfinished: self.engine.store().unfinished().await?,
            pauses: self.engine.store().pauses().await?,
        })
    }

    async fn reload(&self) -> Result<ReloadStatus, Failure> {
        self.require(Role::Viewer)?;
        match &self.reloads {
            Some(reloads) => Ok(reloads.look().await),
            // Whoever only reads has just looked.
            None => Ok((self.reload)()),
        }
    }

    async fn roll_back(&self, plugin: PluginName, way: Rollback) -> Result<RolledBack, Failure> {
        self.require(Role::Admin)?;
        let reloads = self.reloads.as_ref();
        let reloads = reloads.ok_or_else(|| Failure::host("this host only reads, and changes nothing"))?;
        let rolled_back = reloads.roll_back(&plugin, way, &self.actor).await?;
        let record = plugins::rolled_back(&plugin, way, &rolled_back, self.engine.now(), &self.actor);
        self.engine.store().audit(record).await?;
        Ok(rolled_back)
    }

    async fn submit(&self, submission: Submission) -> Result<Run, Failure> {
        self.require(Role::Operator)?;
        Ok(self.engine.submit(submission, self.actor.clone()).await?)
    }

    async fn cancel(&self, id: RunId) -> Result<Run, Failure> {
        self.require(Role::Operator)?;
        Ok(self.engine.cancel(id, self.actor.clone()).await?)
    }

    async fn wait(&self, id: RunId, through: bool) -> Result<Run, Failure> {
        self.require(Role::Viewer)?;
        Ok(self.engine.wait(id, through).await?)
    }

    async fn answer(&self, id: RunId, reply: Reply) -> Result<Run, Failure> {
        self.reply(id, reply).await
    }

    async fn retry(&self, id: RunId) -> Result<Run, Failure> {
        self.require(Role::Operator)?;
        Ok(self.engine.retry(id, self.actor.clone()).await?)
    }

    async fn run(&self, meant: &str) -> Result<RunDetails, Failure> {
        self.require(Role::Viewer)?;
        let run = self.meant(meant).await?;
        let store = self.engine.store();
        let attachments = store.attachments(run.id()).await?.into_iter();
        Ok(RunDetails {
            events: store.events(run.id()).await?,
            limits: self
                .ready(&run.queued.procedure)
                .ok()
                .map(|ready| ready.procedure.limits.clone()),
            attachments: attachments
                .map(|kept| (kept.name, kept.media_type, kept.content.len() as u64))
                .collect(),
            run,
        })
    }

    async fn runs(&self, mut filter: RunFilter) -> Result<Vec<Run>, Failure> {
        self.require(Role::Viewer)?;
        filter.limit = Some(filter.limit.unwrap_or(RUNS_MAX).min(RUNS_MAX));
        let runs = self.engine.store().runs(&filter).await?;
        if let Some(name) = filter.procedure.filter(|_| runs.is_empty()) {
            self.must_be_known(&name).await?;
        }
        Ok(runs)
    }

    async fn journal(&self, id: RunId, after: u64) -> Result<Vec<(u64, JournalEntry)>, Failure> {
        self.require(Role::Viewer)?;
        Ok(self.engine.store().journal(id, after, JOURNAL_PAGE).await?)
    }

    async fn plugins(&self) -> Result<Vec<PluginDetails>, Failure> {
        self.require(Role::Viewer)?;
        Ok(plugins::details(&self.engine.generation(), &(self.reload)()))
    }

    async fn coming(&self, filter: ComingFilter) -> Result<Vec<ComingTick>, Failure> {
        self.require(Role::Viewer)?;
        let procedures = self.one_or_all(filter.procedure.as_ref())?;
        coming(&procedures, self.engine.now(), &filter)
    }

    async fn why(
        &self,
        procedure: ProcedureName,
        at: Option<Timestamp>,
    ) -> Result<Vec<Explanation>, Failure> {
        self.require(Role::Viewer)?;
        self.explain(&procedure, at).await
    }

    async fn findings(&self, procedure: ProcedureName) -> Result<Vec<OpenFinding>, Failure> {
        self.require(Role::Viewer)?;
        let open = self.engine.store().open_findings(&procedure, None).await?;
        if open.is_empty() {
            self.must_be_known(&procedure).await?;
        }
        Ok(open)
    }

    async fn grants(&self, procedure: Option<ProcedureName>) -> Result<Vec<ProcedureGrants>, Failure> {
        self.require(Role::Viewer)?;
        let mut all = Vec::new();
        for ready in self.one_or_all(procedure.as_ref())? {
            let history = self.engine.store().grant_history(&ready.procedure.name).await?;
            all.push(used_grants(&ready.procedure, history));
        }
        Ok(all)
    }

    async fn secrets(&self) -> Result<BTreeMap<ResourceName, Secret>, Failure> {
        self.require(Role::Viewer)?;
        Ok(self.engine.generation().resources.secrets.clone())
    }

    async fn look_at_secrets(&self) -> Result<Vec<SecretStatus>, Failure> {
        self.require(Role::Viewer)?;
        let resources = Arc::clone(&self.engine.generation().resources);
        Ok(self.engine.secrets().look(&resources).await)
    }

    async fn set_secret(&self, name: ResourceName, value: SecretValue) -> Result<SecretSet, Failure> {
        self.require(Role::Admin)?;
        let resources = Arc::clone(&self.engine.generation().resources);
        let secrets = self.engine.secrets();
        secrets.set(&resources, &name, value, &self.actor).await
    }

    async fn trigger(&self, event: EventName, inputs: Value) -> Result<Vec<Triggered>, Failure> {
        self.require(Role::Operator)?;
        self.engine.trigger(&event, inputs, self.actor.clone()).await
    }

    async fn pause(&self, scope: PauseScope, reason: Option<String>) -> Result<Pause, Failure> {
        self.require(Role::Operator)?;
        self.engine.pause(scope, reason, self.actor.clone()).await
    }

    async fn resume(&self, scope: PauseScope) -> Result<Vec<Pause>, Failure> {
        self.require(Role::Operator)?;
        self.engine.resume(&scope, &self.actor).await
    }
}

pub(crate) fn not_found(message: String) -> Failure {
    Failure::new(FailureKind::NotFound, Blame::Operator, message)
}
