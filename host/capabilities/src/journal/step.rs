//! The steps of a run: each is done once, however often the action is called.

use super::budget::Budget;
use crate::gate::Gate;
use crate::redaction::Mask;
use async_trait::async_trait;
use serde_json::Value;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Step};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Progress is kept this often; people do not read faster.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// No unit is longer.
const UNIT_BYTES_MAX: usize = 16;
/// How much is kept of each text of a failure.
const REASON_BYTES_MAX: usize = 4 << 10;
/// Names with values that are kept of a failure.
const EXTRAS_MAX: usize = 16;

/// The steps that the attempt began, and which of them are open.
#[derive(Default)]
pub(crate) struct OpenSteps {
    steps: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    names: BTreeSet<String>,
    /// In the order of their beginning.
    open: Vec<String>,
}

impl OpenSteps {
    /// The step that was begun last of those that are open.
    pub(crate) fn innermost(&self) -> Option<String> {
        self.lock().open.last().cloned()
    }

    fn begin(&self, name: &str) -> Answer<()> {
        if self.lock().names.insert(name.to_owned()) {
            return Ok(());
        }
        let message = format!("the step `{name}` was begun before in this attempt");
        Err(Failure::new(FailureKind::Conflict, Blame::Plugin, message))
    }

    fn open(&self, name: &str) {
        self.lock().open.push(name.to_owned());
    }

    fn close(&self, name: &str) {
        self.lock().open.retain(|open| open != name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Begun> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Stage {
    Open,
    /// An earlier attempt finished it with this output.
    Recorded(Arc<str>),
    Ended,
}

pub(super) struct JournalStep {
    gate: Arc<Gate>,
    steps: Arc<OpenSteps>,
    budget: Arc<Budget>,
    name: String,
    stage: Stage,
    progress_at: Option<Duration>,
}

impl JournalStep {
    pub(super) fn begin(
        gate: &Arc<Gate>,
        steps: &Arc<OpenSteps>,
        budget: &Arc<Budget>,
        name: &str,
    ) -> Answer<Self> {
        let finished = gate.attempt().finished_steps.get(name);
        if finished.is_none() {
            budget.step()?;
        }
        steps.begin(name)?;
        let name = name.to_owned();
        let stage = if let Some(output) = finished {
            gate.record().soon(Note::StepRecalled { name: name.clone() });
            Stage::Recorded(Arc::clone(output))
        } else {
            steps.open(&name);
            gate.record().soon(Note::StepBegan { name: name.clone() });
            Stage::Open
        };
        Ok(Self {
            gate: Arc::clone(gate),
            steps: Arc::clone(steps),
            budget: Arc::clone(budget),
            name,
            stage,
            progress_at: None,
        })
    }

    fn check_open(&self) -> Answer<()> {
        if matches!(self.stage, Stage::Open) {
            return Ok(());
        }
        let message = format!("the step `{}` has ended", self.name);
        Err(Failure::new(FailureKind::Conflict, Blame::Plugin, message))
    }

    /// Writes down how the step ended, and which grants were used until then.
    async fn record(&self, note: Note) -> Answer<()> {
        let notes = self.gate.used().into_iter().chain([note]);
        self.gate.record().all_durably(notes.collect()).await
    }

    fn end(&mut self) {
        self.stage = Stage::Ended;
        self.steps.close(&self.name);
    }
}

#[async_trait]
impl Step for JournalStep {
    fn recorded(&self) -> Option<Arc<str>> {
        match &self.stage {
            Stage::Recorded(output) => Some(Arc::clone(output)),
            Stage::Open | Stage::Ended => None,
        }
    }

    async fn progress(&mut self, done: u64, total: Option<u64>, unit: &str) {
        let now = self.gate.clock().monotonic();
        let early = self.progress_at.is_some_and(|at| now < at + PROGRESS_EVERY);
        if early || self.check_open().is_err() {
            return;
        }
        self.progress_at = Some(now);
        self.gate.record().soon(Note::StepProgress {
            name: self.name.clone(),
            done,
            total,
            unit: self.gate.mask().start(unit, UNIT_BYTES_MAX),
        });
    }

    async fn finish(&mut self, output: Value) -> Answer<()> {
        self.check_open()?;
        self.budget.step_output(output.to_string().len() as u64)?;
        let name = self.name.clone();
        self.record(Note::StepFinished { name, output }).await?;
        self.end();
        Ok(())
    }

    async fn skip(&mut self, reason: &str) -> Answer<()> {
        self.check_open()?;
        self.budget.step_output(reason.len() as u64)?;
        let (name, reason) = (self.name.clone(), reason.to_owned());
        self.record(Note::StepSkipped { name, reason }).await?;
        self.end();
        Ok(())
    }

    async fn fail(&mut self, reason: Failure) {
        if self.check_open().is_err() {
            return;
        }
        self.end();
        let name = self.name.clone();
        let failure = short(&self.gate.mask(), &reason);
        self.gate.record().soon(Note::StepFailed { name, failure });
    }

    async fn close(self: Box<Self>) {}
}

impl Drop for JournalStep {
    fn drop(&mut self) {
        if self.check_open().is_err() {
            return;
        }
        self.end();
        // It is begun again when the run goes on.
        if self.gate.suspension().is_some() {
            return;
        }
        let cut_off = self.gate.stop().check().err();
        let failure = cut_off.unwrap_or_else(|| Failure::invalid("the plugin left the step without an end"));
        let name = self.name.clone();
        self.gate.record().soon(Note::StepFailed { name, failure });
    }
}

/// A plugin's own failure may be of any length.
fn short(mask: &Mask, failure: &Failure) -> Failure {
    let cut = |text: &String| mask.start(text, REASON_BYTES_MAX);
    let extra = failure.extra.iter().take(EXTRAS_MAX);
    Failure {
        message: cut(&failure.message),
        hint: failure.hint.as_ref().map(cut),
        extra: extra.map(|(name, value)| (cut(name), cut(value))).collect(),
        ..*failure
    }
}
