//! One attempt: durable before it acts, and durable when it ended.

use crate::calls::RunCalls;
use crate::engine::Engine;
use crate::masking::masked;
use crate::submission::Refused;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::{Attempt, FinishedSteps};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::limits::Usage;
use sopwith_core::manifest::CapabilityRequest;
use sopwith_core::name::ActionName;
use sopwith_core::port::{Bounds, Call, Ended, Lent, Plugin, StoreError, Stored};
use sopwith_core::resource::Resources;
use sopwith_core::run::{Run, RunEvent, RunId, RunState, Wait};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What an attempt has around it.
struct Place {
    resources: Arc<Resources>,
    cancel: CancellationToken,
    calls: Arc<RunCalls>,
    lent: Lent,
}

impl Engine {
    /// Carries out one attempt of a run that has its place and its locks, under the definition
    /// by which it got them. None where the run did not get so far as to change.
    pub(crate) async fn carry_out(
        &self,
        id: RunId,
        generation: Arc<Generation>,
        cancel: CancellationToken,
        lent: Lent,
    ) -> Option<Run> {
        let run = self.begin(id, &generation).await?;
        let calls = Arc::new(RunCalls::new(self, &run, &cancel));
        let run = match generation.procedures.get(&run.queued.procedure) {
            Some(ready) if run.state == RunState::Running => {
                let place = Place {
                    resources: Arc::clone(&generation.resources),
                    cancel,
                    calls: Arc::clone(&calls),
                    lent,
                };
                self.attempt(run, ready, place).await
            }
            _ => run,
        };
        // An earlier attempt may have called, too.
        let is_first = run.attempt <= 1 && run.resumed == 0 && run.suspensions == 0;
        if calls.has_called() || !is_first {
            self.insist_on_ending_called(&run).await;
        }
        self.clear_up(&run).await;
        Some(run)
    }

    /// Writes down that the attempt starts, before it does anything, however long that takes;
    /// or that the run ends here.
    async fn begin(&self, id: RunId, generation: &Generation) -> Option<Run> {
        while !self.is_stopping() {
            match self.try_to_begin(id, generation).await {
                Ok(begun) => return begun,
                // Somebody asked for its end just now.
                Err(StoreError::Stale { .. }) => {}
                Err(StoreError::Broken(why)) => {
                    tracing::error!(run = %id, why, "the run cannot be started; trying again");
                    self.rest().await;
                }
                Err(error) => {
                    tracing::error!(run = %id, %error, "the run could not be started");
                    return None;
                }
            }
        }
        None
    }

    async fn try_to_begin(&self, id: RunId, generation: &Generation) -> Stored<Option<Run>> {
        let run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
        let at = self.now();
        let event = if run.state.is_final() {
            self.end_called(&run).await?;
            self.capabilities().end_run(id).await;
            return Ok(None);
        } else if run.cancelled_by.is_some() {
            let failure = run.asked_to_end();
            RunEvent::Cancelled { at, failure }
        } else if run.is_overdue(at) {
            let failure = too_late(&run);
            RunEvent::Missed { at, failure }
        } else if let Some(ready) = generation.procedures.get(&run.queued.procedure) {
            if run.state == RunState::Running || self.must_wait(&run) {
                // That it starts was written down, and only the answer was lost; or it waits again.
                return Ok(Some(run));
            }
            match self.still_to_ask(ready, &run) {
                Some(request) => RunEvent::AskedAnew { at, request },
                None => RunEvent::AttemptStarted { at },
            }
        } else {
            let failure = removed(&run);
            RunEvent::Cancelled { at, failure }
        };
        let run = self.store().apply(id, run.epoch, event, &Actor::Host).await?;
        Ok(Some(run))
    }

    async fn attempt(&self, run: Run, ready: &ReadyProcedure, place: Place) -> Run {
        let started = self.clock().monotonic();
        let cancel = place.cancel.clone();
        let called = self.call(&run, ready, place).await;
        let (ended, suspension) = called.unwrap_or_else(|failure| {
            let usage = Usage {
                wall: self.clock().monotonic().saturating_sub(started),
                ..Usage::default()
            };
            let result = Err(failure);
            (Ended { result, usage }, None)
        });
        let event = match ended.result {
            // What ended the guest is of no interest: it was ended so that it waits.
            Err(_) if let Some(wait) = suspension => RunEvent::Suspended {
                at: self.now(),
                wait: Box::new(wait),
                usage: ended.usage,
            },
            Ok(report) => RunEvent::Succeeded {
                at: self.now(),
                report,
                usage: ended.usage,
            },
            // A plugin can say of itself that it was asked to end; only the token knows.
            Err(failure) if failure.kind == FailureKind::Cancelled && cancel.is_cancelled() => {
                self.after_interruption(&run, failure).await
            }
            Err(failure) => self.after_failure(&run, ready, failure, ended.usage),
        };
        self.write_down(run, event).await
    }

    async fn call(
        &self,
        run: &Run,
        ready: &ReadyProcedure,
        Place {
            resources,
            cancel,
            calls,
            lent,
        }: Place,
    ) -> Result<(Ended, Option<Wait>), Failure> {
        let queued = &run.queued;
        let plugin = self.plugin_of(run, ready).await?;
        let mut limits = ready.procedure.limits.clone();
        // What the attempt used before it was suspended counts; the time that it was suspended does not.
        limits.timeout = limits.timeout.saturating_sub(run.spent);
        let attempt = Attempt {
            run: run.clone(),
            declared: declared(&*plugin, &queued.action)?,
            grants: ready.procedure.grants_of(&queued.action),
            grant_section: ready.procedure.section_of(&queued.action),
            gates: ready.procedure.gates.clone(),
            revision: ready.procedure.revision,
            resources,
            limits: limits.clone(),
            deadline: self.clock().monotonic().saturating_add(limits.timeout),
            cancel: cancel.clone(),
            calls,
            lent,
            previous_success: self
                .store()
                .previous_success(&queued.procedure, &queued.action)
                .await?,
            finished_steps: self.finished_steps(run).await?,
        };
        let capabilities = self.capabilities().open(attempt).await?;
        let call = Call {
            action: queued.action.clone(),
            settings: queued.settings.clone(),
            inputs: queued.inputs.clone(),
        };
        let ended = plugin
            .run(call, capabilities.clone(), Bounds { limits, cancel })
            .await;
        capabilities.settle().await;
        let mask = |text: &str| capabilities.journal().masked(text);
        let ended = Ended {
            result: masked(ended.result, &mask),
            usage: ended.usage,
        };
        Ok((ended, capabilities.suspension()))
    }

    /// What was finished before this attempt; nothing was before the first, unless that was cut off.
    async fn finished_steps(&self, run: &Run) -> Stored<FinishedSteps> {
        if run.attempt == 1 && run.resumed == 0 && run.suspensions == 0 {
            return Ok(FinishedSteps::new());
        }
        self.store().finished_steps(run.id()).await
    }

    /// The plugin of the moment when the run was queued, unless it lacks what it cannot do
    /// without.
    async fn plugin_of(&self, run: &Run, ready: &ReadyProcedure) -> Result<Arc<dyn Plugin>, Failure> {
        let queued = &run.queued;
        let is_current = ready.plugin.digest() == queued.plugin_digest;
        if let Some(lacks) = ready.unavailable.get(&queued.action).filter(|_| is_current) {
            let denied = Refused::Denied {
                procedure: queued.procedure.clone(),
                action: queued.action.clone(),
                lacks: lacks.clone(),
            };
            return Err(denied.into());
        }
        let plugin = self.shelf().plugin(queued.plugin_digest).await;
        plugin.map_err(|problem| {
            let failure = Failure::host(format!("plugin `{}` cannot be loaded: {problem}", queued.plugin));
            Failure {
                hint: problem.hint,
                ..failure
            }
        })
    }
}

fn declared(plugin: &dyn Plugin, action: &ActionName) -> Result<Vec<CapabilityRequest>, Failure> {
    let manifest = plugin.manifest();
    let offered = manifest.action(Some(action)).ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            Blame::Operator,
            format!("plugin `{}` has no action `{action}`", manifest.name),
        )
    })?;
    Ok(offered.capabilities.clone())
}

/// The end of a run that had neither place nor locks in time, or that nobody let start.
pub(crate) fn too_late(run: &Run) -> Failure {
    let start_by = run.queued.start_by.unwrap_or(run.queued.queued_at);
    if run.open_request().is_some() {
        let message = format!("it could not start by {start_by}: nobody had let it start by then");
        return Failure::new(FailureKind::Timeout, Blame::Operator, message)
            .hint("give them more time with `deadline`");
    }
    let message = format!("it could not start by {start_by}: it got no place or lock in time");
    Failure::new(FailureKind::Timeout, Blame::Operator, message)
        .hint("give it more time with `deadline`, or the host more places with `runs_at_once_max`")
}

/// The end of a run whose procedure is gone.
pub(crate) fn removed(run: &Run) -> Failure {
    let message = format!("procedure `{}` was removed", run.queued.procedure);
    Failure::new(FailureKind::Cancelled, Blame::Operator, message)
}
