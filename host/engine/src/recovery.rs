//! What becomes of runs that were cut off: by a crash, or by a shutdown after its grace.

use crate::attempt::removed;
use crate::calls::caller_has_ended;
use crate::engine::Engine;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::{AttemptEnd, Run, RunEvent, RunState};

/// What the start found of the host before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Runs that had not started, and wait again.
    pub queued: usize,
    /// Runs that were cut off and go on.
    pub resumed: usize,
    /// Runs that were cut off and may not be repeated.
    pub lost: usize,
    /// Runs whose procedure is gone, or that somebody had asked to end.
    pub cancelled: usize,
}

impl Engine {
    /// Takes up what the host before this one left. Nothing starts before; what is asked for
    /// meanwhile waits.
    pub async fn recover(&self) -> Stored<Recovered> {
        self.read_pauses().await?;
        let mut recovered = Recovered::default();
        let mut live = Vec::new();
        for run in self.store().unfinished().await? {
            let run = self.take_up(run, &mut recovered).await?;
            if run.state.is_final() {
                self.end_called(&run).await?;
                self.tell_end(run.id());
            } else {
                live.push(run.id());
                self.enqueue(&run);
            }
        }
        if let Err(failure) = self.capabilities().sweep(&live).await {
            tracing::warn!(%failure, "what earlier runs left could not be removed");
        }
        self.has_recovered();
        self.start_what_can();
        Ok(recovered)
    }

    async fn take_up(&self, mut run: Run, recovered: &mut Recovered) -> Stored<Run> {
        loop {
            let Some(event) = self.event_of_recovery(&run).await? else {
                recovered.queued += usize::from(!run.state.is_final());
                return Ok(run);
            };
            let id = run.id();
            match self
                .store()
                .apply(id, run.epoch, event.clone(), &Actor::Host)
                .await
            {
                Ok(run) => {
                    recovered.count(&event);
                    tell(&run, &event);
                    return Ok(run);
                }
                // Somebody asked for its end just now.
                Err(StoreError::Stale { .. }) => {
                    run = self.store().run(id).await?.ok_or(StoreError::NoRun(id))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What happens to a run that is not simply left to wait.
    async fn event_of_recovery(&self, run: &Run) -> Stored<Option<RunEvent>> {
        let at = self.now();
        if run.state.is_final() {
            return Ok(None);
        }
        if !self.generation().procedures.contains_key(&run.queued.procedure) {
            let failure = removed(run);
            return Ok(Some(RunEvent::Cancelled { at, failure }));
        }
        if let Some(caller) = run.queued.trigger.caller()
            && self
                .store()
                .run(caller)
                .await?
                .is_none_or(|caller| caller.state.is_final())
        {
            let failure = caller_has_ended(caller);
            return Ok(Some(RunEvent::Cancelled { at, failure }));
        }
        if run.cancelled_by.is_some() {
            let failure = run.asked_to_end();
            return Ok(Some(RunEvent::Cancelled { at, failure }));
        }
        if run.state == RunState::Running {
            return Ok(Some(self.cut_off(run, "the host ended without notice").await?));
        }
        Ok(None)
    }

    /// What happens to a run that was cut off in the middle of an attempt: it goes back to the
    /// queue if repeating it is safe and it was not cut off too often; otherwise it is lost, and
    /// retried only where the procedure says so.
    pub(crate) async fn cut_off(&self, run: &Run, reason: &str) -> Stored<RunEvent> {
        let at = self.now();
        let generation = self.generation();
        let ready = generation.procedures.get(&run.queued.procedure);
        let resume_max = ready.map_or(0, |ready| ready.procedure.resume_max);
        let repeatable = self.is_repeatable(run).await?;
        if repeatable && run.resumed < resume_max {
            return Ok(RunEvent::Interrupted {
                at,
                reason: reason.to_owned(),
            });
        }
        let why = if repeatable {
            format!("{reason}, and the run had gone on {} times before", run.resumed)
        } else {
            format!(
                "{reason}, and `{}` may not simply be started again",
                run.queued.action
            )
        };
        let failure = Failure::new(FailureKind::Failed, Blame::Host, why)
            .hint("look at what it had done, and start it again by hand");
        let retry = ready.map(|ready| &ready.procedure.retry);
        let retry_at =
            retry.and_then(|retry| retry.next(at, run.attempt, AttemptEnd::Lost, &failure, self.random()));
        Ok(RunEvent::AttemptFailed {
            at,
            cause: AttemptEnd::Lost,
            failure,
            retry_at,
            usage: None,
        })
    }

    async fn is_repeatable(&self, run: &Run) -> Stored<bool> {
        if run.queued.dry_run || !self.store().finished_steps(run.id()).await?.is_empty() {
            return Ok(true);
        }
        let plugin = self.shelf().plugin(run.queued.plugin_digest).await;
        Ok(plugin.is_ok_and(|plugin| {
            let action = plugin.manifest().action(Some(&run.queued.action));
            action.is_some_and(|action| action.idempotent || !action.changes)
        }))
    }
}

/// Tells the log what becomes of a run that was cut off.
fn tell(run: &Run, event: &RunEvent) {
    let (id, state) = (run.id(), run.state);
    let (procedure, action) = (&run.queued.procedure, &run.queued.action);
    match event {
        RunEvent::Interrupted { .. } => {
            tracing::warn!(run = %id, %procedure, %action, "a run was cut off, and goes on");
        }
        RunEvent::AttemptFailed { failure, .. } => {
            tracing::error!(run = %id, %procedure, %action, %state, failure = %failure, "a run was cut off");
        }
        _ => tracing::warn!(run = %id, %procedure, %action, %state, "a run does not go on"),
    }
}

impl Recovered {
    fn count(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Interrupted { .. } => self.resumed += 1,
            RunEvent::AttemptFailed { .. } => self.lost += 1,
            _ => self.cancelled += 1,
        }
    }
}
