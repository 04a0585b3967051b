//! Runs that other runs call: they have the place and the locks of their caller, and no task of the queue.

use crate::dispatch::locks_of_action;
use crate::engine::Engine;
use crate::queue::Waiting;
use crate::start_gate::behind_its_gate;
use async_trait::async_trait;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::{CALL_DEPTH_MAX, Calls, Lent, ProcedureCall, StoreError, Stored};
use sopwith_core::run::{Queued, Run, RunEvent, RunId, RunState, Trigger, Wait};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs other procedures in the place of one run.
pub(crate) struct RunCalls {
    engine: Engine,
    caller: Run,
    cancel: CancellationToken,
    under_way: TaskTracker,
    has_called: AtomicBool,
}

impl fmt::Debug for RunCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCalls")
            .field("caller", &self.caller.id())
            .finish_non_exhaustive()
    }
}

impl RunCalls {
    pub(crate) fn new(engine: &Engine, caller: &Run, cancel: &CancellationToken) -> Self {
        Self {
            engine: engine.clone(),
            caller: caller.clone(),
            cancel: cancel.clone(),
            under_way: TaskTracker::new(),
            has_called: AtomicBool::new(false),
        }
    }

    /// Whether anything was called.
    pub(crate) fn has_called(&self) -> bool {
        self.has_called.load(Ordering::SeqCst)
    }

    /// The run in whose place all of this happens; that it is not called by itself is checked on the way.
    async fn root(&self, wanted: &ProcedureName) -> Result<RunId, Failure> {
        let mut run = self.caller.clone();
        for _ in 0..CALL_DEPTH_MAX {
            if run.queued.procedure == *wanted {
                let message = format!("`{wanted}` would call itself");
                return Err(Failure::new(FailureKind::Conflict, Blame::Operator, message));
            }
            let Some(caller) = run.queued.trigger.caller() else {
                return Ok(run.id());
            };
            let found = self.engine.store().run(caller).await?;
            run = found.ok_or(StoreError::NoRun(caller))?;
        }
        let message = format!("calls may nest {CALL_DEPTH_MAX} deep");
        Err(Failure::limit("depth", message))
    }

    /// The newest run that an attempt made by this call, with the number of that attempt.
    async fn made(&self, call: &str) -> Stored<Option<(u32, Run)>> {
        let runs = self.engine.store().called_by(self.caller.id()).await?.into_iter();
        let of_call = runs.filter_map(|run| {
            let Trigger::Procedure { call: made, .. } = &run.queued.trigger else {
                return None;
            };
            Some((attempt_of(made, call)?, run))
        });
        Ok(of_call.max_by_key(|(attempt, _)| *attempt))
    }

    /// The run that this call means, made where no earlier attempt made it. What did not pass for an earlier
    /// attempt is done again: a retry that got the old failure back would be none.
    async fn called(&self, ready: &ReadyProcedure, call: ProcedureCall) -> Result<Run, Failure> {
        let action = call.action.unwrap_or_else(|| ready.procedure.action.clone());
        let now = self.caller.attempt;
        let attempt = match self.made(&call.call).await? {
            Some((before, run)) if before == now || !run.state.is_final() || run.passed() => before,
            _ => {
                self.engine.may_be_called(&ready.procedure.name, &action)?;
                now
            }
        };
        let inputs = self.engine.checked_inputs(ready, &action, call.inputs)?;
        let caller = &self.caller.queued;
        let trigger = Trigger::Procedure {
            run: self.caller.id(),
            call: key_in(attempt, &call.call),
        };
        let actor = Actor::Procedure {
            name: caller.procedure.clone(),
            run: self.caller.id(),
            on_behalf_of: Box::new(caller.requester().clone()),
        };
        let queued = self
            .engine
            .queued(ready, action, inputs, trigger, actor, caller.dry_run);
        let lent = call.lent.into_keys().collect();
        let queued = behind_its_gate(ready, Queued { lent, ..queued });
        Ok(self.engine.store().queue(queued).await?)
    }

    /// The run after this time, or once it has ended.
    async fn later(&self, run: &Run, wait: Duration) -> Stored<Run> {
        let (id, mut ends) = (run.id(), self.engine.ends());
        let ended = async {
            // A listener that fell behind has missed ends and simply looks again.
            while ends.recv().await.is_ok_and(|ended| ended != id) {}
        };
        tokio::select! {
            () = self.engine.clock().sleep(wait) => {}
            () = ended => {}
        }
        self.engine.store().run(id).await?.ok_or(StoreError::NoRun(id))
    }

    /// Carries out one attempt of a run that was called, once as few of its action are under way as have to
    /// be. It comes to its end even where nobody waits for it.
    async fn attempt(&self, run: &Run, lent: &Lent, at_once: usize) -> Option<Run> {
        let cancel = self.cancel.child_token();
        let unless_dropped = cancel.clone().drop_guard();
        let (engine, id, lent) = (self.engine.clone(), run.id(), lent.clone());
        let mut ends = engine.ends();
        while !engine
            .queue()
            .begin_called(Waiting::of(run, None), &cancel, at_once)
        {
            // A listener that fell behind has missed ends and simply looks again.
            let _ = ends.recv().await;
        }
        let generation = engine.generation();
        let attempt = self.under_way.spawn(async move {
            let carried = engine.clone();
            let attempt = tokio::spawn(async move { carried.carry_out(id, generation, cancel, lent).await });
            let run = match attempt.await {
                Ok(run) => run,
                Err(error) => engine.after_panic(id, &error).await,
            };
            engine.queue().end_called(id);
            engine.start_what_can();
            engine.tell_end(id);
            run
        });
        let run = attempt.await.ok().flatten();
        unless_dropped.disarm();
        run
    }
}

#[async_trait]
impl Calls for RunCalls {
    async fn call(&self, call: ProcedureCall) -> Result<Run, Failure> {
        self.has_called.store(true, Ordering::SeqCst);
        let root = self.root(&call.procedure).await?;
        let generation = self.engine.generation();
        let found = generation.procedures.get(&call.procedure);
        let ready = found.ok_or_else(|| {
            let message = format!("there is no procedure `{}`", call.procedure);
            Failure::new(FailureKind::NotFound, Blame::Operator, message)
        })?;
        let lent = call.lent.clone();
        let mut run = self.called(ready, call).await?;
        let locks = locks_of_action(&generation, ready, &run.queued.action);
        if !self.engine.queue().lock_more(root, &locks) {
            let message = format!(
                "another run holds what `{}` of `{}` locks",
                run.queued.action, run.queued.procedure
            );
            return Err(Failure::new(FailureKind::Conflict, Blame::Outside, message).retryable());
        }
        let mut has_tried = false;
        loop {
            run = match self.engine.prepare_called(run, has_tried).await? {
                Prepared::Rests(run) => return Ok(run),
                Prepared::Later(run, wait) => self.later(&run, wait).await?,
                Prepared::Ready(run) => {
                    has_tried = true;
                    let id = run.id();
                    let at_once = ready.procedure.at_once(&run.queued.action);
                    let attempted = self.attempt(&run, &lent, at_once).await;
                    let now = match attempted {
                        Some(now) => now,
                        None => self.engine.store().run(id).await?.ok_or(StoreError::NoRun(id))?,
                    };
                    // It was cut off by the end of the host: so is whoever called.
                    if self.cancel.is_cancelled() || self.engine.is_stopping() {
                        return Ok(now);
                    }
                    now
                }
            };
        }
    }

    async fn last_passed(
        &self,
        procedure: &ProcedureName,
        action: Option<&ActionName>,
    ) -> Result<Option<Run>, Failure> {
        let generation = self.engine.generation();
        let known = generation.procedures.get(procedure);
        let Some(action) = action.or(known.map(|ready| &ready.procedure.action)) else {
            return Ok(None);
        };
        Ok(self.engine.store().last_passed(procedure, action).await?)
    }

    async fn settle(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }
}

/// The key of a call within a run, by the attempt that makes it.
fn key_in(attempt: u32, call: &str) -> String {
    if attempt == 1 {
        call.to_owned()
    } else {
        format!("{call}{AGAIN}{attempt}")
    }
}

/// The attempt that made a call under this key, where it is this call.
fn attempt_of(key: &str, call: &str) -> Option<u32> {
    let rest = key.strip_prefix(call)?;
    if rest.is_empty() {
        return Some(1);
    }
    rest.strip_prefix(AGAIN)?.parse().ok()
}

/// Parts a call from the attempt that made it again.
const AGAIN: &str = " in attempt ";

/// Why a run that was called does not go on.
pub(crate) fn caller_has_ended(caller: RunId) -> Failure {
    let message = format!("run `{caller}`, which called it, has ended");
    Failure::new(FailureKind::Cancelled, Blame::Operator, message)
}

/// What is to be done with a run that was called.
enum Prepared {
    /// It has ended, or waits.
    Rests(Run),
    /// Its next attempt starts so much later.
    Later(Run, Duration),
    /// An attempt of it may start.
    Ready(Run),
}

impl Engine {
    /// Looks at a run that was called, perhaps by an earlier attempt, and at what became of it since. `has_tried`
    /// says whether this very call has had an attempt of it.
    async fn prepare_called(&self, run: Run, has_tried: bool) -> Stored<Prepared> {
        if run.state.is_final() {
            return Ok(Prepared::Rests(run));
        }
        if let Some(run) = self.expire(&run).await? {
            return Ok(if run.state.is_final() {
                self.clear_up(&run).await;
                Prepared::Rests(run)
            } else {
                Prepared::Ready(run)
            });
        }
        Ok(match run.state {
            // Its caller was cut off, and so was it.
            RunState::Running => {
                let event = self.cut_off(&run, "the host ended without notice").await?;
                let run = self
                    .store()
                    .apply(run.id(), run.epoch, event, &Actor::Host)
                    .await?;
                self.clear_up(&run).await;
                match self.until_retry(&run) {
                    Some(wait) => Prepared::Later(run, wait),
                    None if run.state.is_final() => Prepared::Rests(run),
                    None => Prepared::Ready(run),
                }
            }
            RunState::RetryWait => match self.until_retry(&run).filter(|wait| !wait.is_zero()) {
                Some(wait) => Prepared::Later(run, wait),
                None => Prepared::Ready(run),
            },
            // Whoever is called may wait for one that it called itself: that one is looked at by calling again,
            // once for each time that there is news of it.
            RunState::Suspended if !has_tried && matches!(run.waits_for, Some(Wait::Call { .. })) => {
                Prepared::Ready(run)
            }
            _ if run.state.is_waiting() && !self.is_ripe(&run) => Prepared::Rests(run),
            _ => Prepared::Ready(run),
        })
    }

    /// Lets the run go on that called this one, since there is news of it.
    pub(crate) fn wake_caller(&self, caller: RunId) {
        let engine = self.clone();
        tokio::spawn(async move {
            let found = engine.insist(caller, || engine.store().run(caller)).await;
            if let Ok(Some(run)) = found
                && run.state == RunState::Suspended
                && matches!(run.waits_for, Some(Wait::Call { .. }))
            {
                engine.line_up(&run);
            }
        });
    }

    /// Lets a run go on that waits for one that it called, unless that one waits itself.
    pub(crate) fn look_at_called(&self, waiting: &Run, first: RunId) {
        let (engine, waiting, mut id) = (self.clone(), waiting.clone(), first);
        tokio::spawn(async move {
            // Whoever was called may wait for one that it called itself, and so on.
            for _ in 0..CALL_DEPTH_MAX {
                let Ok(Some(run)) = engine.insist(id, || engine.store().run(id)).await else {
                    break;
                };
                match run.waits_for {
                    Some(Wait::Call { run: next }) => id = next,
                    Some(_) if !engine.is_ripe(&run) => return engine.put_to_sleep(&run),
                    _ => break,
                }
            }
            engine.line_up(&waiting);
        });
    }

    /// Ends what a run called that has ended itself.
    pub(crate) async fn end_called(&self, caller: &Run) -> Stored<()> {
        if !caller.state.is_final() {
            return Ok(());
        }
        for run in self.store().called_by(caller.id()).await? {
            if run.state.is_final() {
                continue;
            }
            let event = RunEvent::Cancelled {
                at: self.now(),
                failure: caller_has_ended(caller.id()),
            };
            let ended = self.end_waiting(&run, event, &Actor::Host).await?;
            Box::pin(self.end_called(&ended)).await?;
        }
        Ok(())
    }

    /// The same, however long that takes.
    pub(crate) async fn insist_on_ending_called(&self, caller: &Run) {
        loop {
            match self.insist(caller.id(), || self.end_called(caller)).await {
                // One of them has gone on since.
                Err(StoreError::Stale { .. }) => {}
                Err(error) => {
                    tracing::error!(run = %caller.id(), %error, "what the run called cannot be ended");
                    return;
                }
                Ok(()) => return,
            }
        }
    }
}
