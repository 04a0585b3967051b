//! Capabilities as far as scripted plugins use them: what they know of their run, and steps.

use super::stage::Stage;
use super::store::FaultyStore;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::approval::{Asked, RequestKind, Subject};
use sopwith_core::attempt::{Attempt, CapabilityProvider};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::limits::Usage;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{
    Answer, Approvals, Capabilities, Commands, Cover, Egress, Files, Finding, Flow, Journal, OpenFinding,
    Pairs, Preopen, Probe, Procedures, RunInfo, SecretReveal, Secrets, Sql, State, Step, Waited,
};
use sopwith_core::port::{Clock, Lent, ProcedureCall, SecretKeeper, SecretSet, SecretStatus, Store};
use sopwith_core::resource::Resources;
use sopwith_core::run::{Run, RunId, Wait};
use sopwith_core::secret::SecretValue;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What plugins must not let out.
pub(crate) const SECRET: &str = "hunter2";

/// Makes the capabilities of attempts.
pub(crate) struct ScriptedProvider {
    pub(crate) stage: Arc<Stage>,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl CapabilityProvider for ScriptedProvider {
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure> {
        self.stage.enter(&attempt);
        Ok(Arc::new(Scripted {
            attempt,
            stage: Arc::clone(&self.stage),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            suspension: Mutex::default(),
        }))
    }

    async fn end_run(&self, run: RunId) {
        self.stage.clear(run);
    }

    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure> {
        self.stage.sweep(live);
        Ok(())
    }
}

struct Scripted {
    attempt: Attempt,
    stage: Arc<Stage>,
    store: Arc<FaultyStore>,
    clock: Arc<dyn Clock>,
    suspension: Mutex<Option<Wait>>,
}

impl Scripted {
    fn suspend<T>(&self, wait: Wait) -> Waited<T> {
        *self.suspension.lock().unwrap() = Some(wait);
        Waited::Suspended
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stage.leave(self.attempt.run.id());
    }
}

const UNUSED: &str = "scripted plugins only take steps";

#[async_trait]
impl Capabilities for Scripted {
    fn run(&self) -> &dyn RunInfo {
        self
    }

    fn journal(&self) -> &dyn Journal {
        self
    }

    fn approvals(&self) -> &dyn Approvals {
        self
    }

    fn state(&self) -> &dyn State {
        unreachable!("{UNUSED}")
    }

    fn sql(&self) -> &dyn Sql {
        unreachable!("{UNUSED}")
    }

    fn flow(&self) -> &dyn Flow {
        unreachable!("{UNUSED}")
    }

    fn files(&self) -> &dyn Files {
        unreachable!("{UNUSED}")
    }

    fn probe(&self) -> &dyn Probe {
        unreachable!("{UNUSED}")
    }

    fn commands(&self) -> &dyn Commands {
        unreachable!("{UNUSED}")
    }

    fn secrets(&self) -> &dyn Secrets {
        unreachable!("{UNUSED}")
    }

    fn secret_reveal(&self) -> &dyn SecretReveal {
        unreachable!("{UNUSED}")
    }

    fn procedures(&self) -> &dyn Procedures {
        self
    }

    fn egress(&self) -> &dyn Egress {
        unreachable!("{UNUSED}")
    }

    fn preopens(&self) -> Vec<Preopen> {
        Vec::new()
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        None
    }

    fn close_file(&self, _: std::fs::File) {}

    async fn settle(&self) {
        self.attempt.calls.settle().await;
    }

    fn suspension(&self) -> Option<Wait> {
        self.suspension.lock().unwrap().clone()
    }

    fn count_call(&self) -> Answer<()> {
        Ok(())
    }

    fn used(&self) -> Usage {
        Usage::default()
    }
}

#[async_trait]
impl RunInfo for Scripted {
    fn id(&self) -> String {
        self.attempt.run.id().to_string()
    }

    fn procedure(&self) -> String {
        self.attempt.run.queued.procedure.to_string()
    }

    fn attempt(&self) -> u32 {
        self.attempt.run.attempt
    }

    fn trigger(&self) -> String {
        self.attempt.run.queued.trigger.as_str().to_owned()
    }

    fn scheduled_at(&self) -> Option<Timestamp> {
        self.attempt.run.queued.trigger.nominal_at()
    }

    fn previous_success(&self) -> Option<Timestamp> {
        self.attempt.previous_success
    }

    fn dry_run(&self) -> bool {
        self.attempt.run.queued.dry_run
    }

    fn cancelled(&self) -> bool {
        self.attempt.cancel.is_cancelled()
    }

    fn time_left(&self) -> Duration {
        self.attempt.deadline.saturating_sub(self.clock.monotonic())
    }

    async fn sleep(&self, duration: Duration) -> Answer<()> {
        tokio::select! {
            () = self.clock.sleep(duration) => Ok(()),
            () = self.attempt.cancel.cancelled() => Err(Failure::cancelled()),
        }
    }

    async fn suspend_until(&self, name: &str, until: Timestamp) -> Answer<Waited<()>> {
        let wait = self
            .attempt
            .run
            .wait_until(&name.parse().unwrap(), until, self.clock.now());
        Ok(wait.map_or(Waited::Over(()), |wait| self.suspend(wait)))
    }
}

#[async_trait]
impl Procedures for Scripted {
    async fn call(
        &self,
        procedure: &str,
        action: Option<&str>,
        inputs: Value,
        _: Pairs,
    ) -> Answer<Waited<Run>> {
        let call = ProcedureCall {
            procedure: procedure.parse().unwrap(),
            action: action.map(|action| action.parse().unwrap()),
            inputs,
            call: procedure.to_owned(),
            lent: Lent::new(),
        };
        let run = tokio::select! {
            run = self.attempt.calls.call(call) => run?,
            () = self.attempt.cancel.cancelled() => return Err(Failure::cancelled()),
            () = self.clock.sleep(self.time_left()) => {
                let late = Failure::new(FailureKind::Timeout, Blame::Plugin, "the time is up");
                return Err(late.with("limit", "timeout"));
            }
        };
        Ok(if run.state.is_waiting() {
            self.suspend(Wait::Call { run: run.id() })
        } else if run.state.is_final() {
            Waited::Over(run)
        } else {
            return Err(Failure::cancelled());
        })
    }

    async fn last_passed(&self, procedure: &str, action: Option<&str>) -> Answer<Option<Run>> {
        let action = action.map(|action| action.parse().unwrap());
        let calls = &self.attempt.calls;
        calls
            .last_passed(&procedure.parse().unwrap(), action.as_ref())
            .await
    }
}

#[async_trait]
impl Approvals for Scripted {
    async fn ask(
        &self,
        kind: RequestKind,
        name: &str,
        prompt: &str,
        evidence: Value,
    ) -> Answer<Waited<Asked>> {
        let name = name.parse().unwrap();
        let subject = Subject {
            kind,
            name: &name,
            prompt,
            evidence: &evidence,
            gate: &self.attempt.gates[&name],
            revision: self.attempt.revision,
        };
        Ok(match self.attempt.run.decided(subject) {
            Some(asked) => Waited::Over(asked.clone()),
            None => self.suspend(Wait::People {
                request: Box::new(subject.ask(&self.attempt.run.queued, self.clock.now())),
            }),
        })
    }
}

#[async_trait]
impl Journal for Scripted {
    async fn begin(&self, name: &str) -> Answer<Box<dyn Step>> {
        let recorded = self.attempt.finished_steps.get(name).cloned();
        let run = self.attempt.run.id();
        if recorded.is_none() {
            self.stage.effect(run, name);
        }
        Ok(Box::new(ScriptedStep {
            run,
            attempt: self.attempt.run.attempt,
            name: name.to_owned(),
            recorded,
            stage: Arc::clone(&self.stage),
            store: Arc::clone(&self.store),
            at: self.clock.now(),
        }))
    }

    async fn log(&self, _: &str, _: &str, _: Pairs) {}

    async fn printed(&self, _: &str, _: &str) {}

    async fn add_findings(&self, _: Vec<Finding>) -> Answer<()> {
        Ok(())
    }

    async fn checked(&self, _: &str, _: u64) -> Answer<()> {
        Ok(())
    }

    async fn open_findings(&self, _: &str) -> Answer<Vec<OpenFinding>> {
        Ok(Vec::new())
    }

    async fn metric(&self, _: &str, _: f64, _: &str) {}

    async fn attach(&self, _: &str, _: &str, _: Vec<u8>) -> Answer<()> {
        Ok(())
    }

    fn redact(&self, _: &str) {}

    fn masked(&self, text: &str) -> String {
        text.replace(SECRET, "***")
    }
}

struct ScriptedStep {
    run: RunId,
    attempt: u32,
    name: String,
    recorded: Option<Arc<str>>,
    stage: Arc<Stage>,
    store: Arc<FaultyStore>,
    at: Timestamp,
}

#[async_trait]
impl Step for ScriptedStep {
    fn recorded(&self) -> Option<Arc<str>> {
        self.recorded.clone()
    }

    async fn progress(&mut self, _: u64, _: Option<u64>, _: &str) {}

    async fn finish(&mut self, output: Value) -> Answer<()> {
        let entry = JournalEntry {
            at: self.at,
            attempt: self.attempt,
            note: Note::StepFinished {
                name: self.name.clone(),
                output,
            },
        };
        self.store.record(self.run, vec![entry]).await?;
        self.stage.finish(self.run, &self.name);
        Ok(())
    }

    async fn skip(&mut self, _: &str) -> Answer<()> {
        Ok(())
    }

    async fn fail(&mut self, _: Failure) {}

    async fn close(self: Box<Self>) {}
}

/// Knows no secrets.
pub(crate) struct NoSecrets;

#[async_trait]
impl SecretKeeper for NoSecrets {
    async fn look(&self, _: &Resources) -> Vec<SecretStatus> {
        Vec::new()
    }

    async fn set(&self, _: &Resources, _: &ResourceName, _: SecretValue, _: &Actor) -> Answer<SecretSet> {
        unreachable!("{UNUSED}")
    }
}
