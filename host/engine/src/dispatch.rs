//! Gives runs their places and locks, and takes them back.

use crate::engine::Engine;
use crate::queue::{Needs, Waiting};
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::lock::{Locks, add_locks, locks_of};
use sopwith_core::name::ActionName;
use sopwith_core::port::{CALL_DEPTH_MAX, Lent};
use sopwith_core::run::{Queued, Report, Run, RunId, RunState, Verdict, Wait};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

impl Engine {
    /// Puts a run that may start into the queue, and starts what can start. One that waits for people or
    /// for an instant is put to sleep.
    pub(crate) fn enqueue(&self, run: &Run) {
        if run.state.is_final() {
            return;
        }
        if run.state == RunState::Suspended {
            self.fall_asleep(run);
        } else {
            self.let_go_on(run);
        }
    }

    /// Lets a suspended run wait. Whoever says so may have read it a while ago: somebody may have answered
    /// it or ended it since, and would not look at it again. So it is read once more.
    fn fall_asleep(&self, run: &Run) {
        self.queue().sleep(Waiting::of(run, None), run.epoch);
        let (engine, run) = (self.clone(), run.clone());
        tokio::spawn(async move {
            let id = run.id();
            match engine.insist(id, || engine.store().run(id)).await {
                Ok(Some(now)) if now.epoch == run.epoch => engine.let_go_on(&run),
                Ok(Some(now)) => {
                    engine.queue().rouse(id, run.epoch);
                    // One that is under way is looked at when its attempt ends.
                    if now.state != RunState::Running {
                        engine.enqueue(&now);
                    }
                    engine.start_what_can();
                }
                _ => {}
            }
        });
    }

    fn let_go_on(&self, run: &Run) {
        if let Some(Wait::Call { run: called }) = &run.waits_for {
            self.look_at_called(run, *called);
        } else if self.must_wait(run) {
            self.put_to_sleep(run);
        } else {
            self.line_up(run);
        }
    }

    /// Puts a run into the queue, whatever it waits for.
    pub(crate) fn line_up(&self, run: &Run) {
        // One that was called goes on in the place of its caller.
        if let Some(caller) = run.queued.trigger.caller() {
            self.wake_caller(caller);
            return;
        }
        let wait = self.until_retry(run);
        let not_before = wait.map(|wait| self.clock().monotonic().saturating_add(wait));
        let is_new = self.queue().add(Waiting::of(run, not_before));
        match wait {
            Some(wait) if is_new => self.start_what_can_after(wait),
            _ => self.start_what_can(),
        }
    }

    /// How long a retry still sleeps. A clock that was turned back does not prolong that beyond
    /// the longest wait of its procedure.
    pub(crate) fn until_retry(&self, run: &Run) -> Option<Duration> {
        let left = self.now().duration_until(run.retry_at?);
        let generation = self.generation();
        let ready = generation.procedures.get(&run.queued.procedure);
        let longest = ready.map_or(left, |ready| ready.procedure.retry.backoff_max);
        Duration::try_from(left.min(longest)).ok()
    }

    /// There is one such task for each retry that sleeps.
    fn start_what_can_after(&self, wait: Duration) {
        let engine = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = engine.clock().sleep(wait) => engine.start_what_can(),
                () = engine.stopping().cancelled() => {}
            }
        });
    }

    /// Starts every run that has a place and its locks, by what is in force now.
    pub(crate) fn start_what_can(&self) {
        let generation = self.generation();
        let places = usize::try_from(generation.host.runs_at_once_max).unwrap_or(usize::MAX);
        let started = {
            let mut queue = self.queue();
            if !self.may_start() {
                return;
            }
            queue.start(self.clock().monotonic(), places, |waiting| {
                needs(&generation, waiting)
            })
        };
        for (id, cancel) in started {
            let engine = self.clone();
            let generation = Arc::clone(&generation);
            tokio::spawn(async move { engine.hold_place(id, generation, cancel).await });
        }
    }

    /// Carries out an attempt and gives its place and locks back, whatever happens to it.
    async fn hold_place(&self, id: RunId, generation: Arc<Generation>, cancel: CancellationToken) {
        let engine = self.clone();
        let attempt =
            tokio::spawn(async move { engine.carry_out(id, generation, cancel, Lent::new()).await });
        let run = match attempt.await {
            Ok(run) => run,
            Err(error) => self.after_panic(id, &error).await,
        };
        self.queue().release(id);
        match run {
            Some(run) if !run.state.is_final() && !self.is_stopping() => self.enqueue(&run),
            _ => {}
        }
        self.start_what_can();
        self.tell_end(id);
    }

    pub(crate) async fn after_panic(&self, id: RunId, error: &JoinError) -> Option<Run> {
        if !error.is_panic() {
            return None;
        }
        // What a panic says may hold anything, a secret too; it is on standard error already.
        tracing::error!(run = %id, "the host panicked in an attempt");
        let run = self.fail_after_panic(id).await?;
        self.insist_on_ending_called(&run).await;
        self.clear_up(&run).await;
        Some(run)
    }

    /// Clears up after a run that came to its end.
    pub(crate) async fn clear_up(&self, run: &Run) {
        if !run.state.is_final() {
            return;
        }
        self.capabilities().end_run(run.id()).await;
        say_how_it_ended(run);
        self.call_attention();
    }
}

/// By this, who prints the end of a run itself leaves it out of the log.
const ENDED: &str = "sopwith_engine::ended";

/// Tells the log how a run ended, as loudly as somebody should look at it.
fn say_how_it_ended(run: &Run) {
    let Queued {
        procedure, action, ..
    } = &run.queued;
    let (id, state) = (run.id(), run.state);
    match (&run.report, &run.failure) {
        (
            Some(Report {
                verdict: Verdict::Critical,
                summary,
                ..
            }),
            _,
        ) => {
            tracing::error!(target: ENDED, run = %id, %procedure, %action, %state, verdict = "critical", summary, "run ended");
        }
        (
            Some(Report {
                verdict: Verdict::Warning,
                summary,
                ..
            }),
            _,
        ) => {
            tracing::warn!(target: ENDED, run = %id, %procedure, %action, %state, verdict = "warning", summary, "run ended");
        }
        (Some(Report { verdict, summary, .. }), _) => {
            tracing::info!(target: ENDED, run = %id, %procedure, %action, %state, %verdict, summary, "run ended");
        }
        (None, Some(failure)) if state == RunState::Cancelled => {
            tracing::warn!(target: ENDED, run = %id, %procedure, %action, %state, failure = %failure, "run ended");
        }
        (None, failure) => {
            let failure = failure.as_ref().map(ToString::to_string);
            tracing::error!(target: ENDED, run = %id, %procedure, %action, %state, failure, "run ended");
        }
    }
}

/// What a run needs beside a place; nothing where its procedure is gone.
fn needs(generation: &Generation, waiting: &Waiting) -> Needs {
    let Some(ready) = generation.procedures.get(&waiting.procedure) else {
        return Needs {
            locks: Locks::new(),
            at_once: usize::MAX,
        };
    };
    Needs {
        locks: locks_of_action(generation, ready, &waiting.action),
        at_once: ready.procedure.at_once(&waiting.action),
    }
}

/// The locks of an action, and of what it may call by default: so that it need not wait for them in the
/// middle, with its own in its hands.
pub(crate) fn locks_of_action(generation: &Generation, ready: &ReadyProcedure, action: &ActionName) -> Locks {
    let mut locks = Locks::new();
    let mut open = vec![(ready, action, 0)];
    while let Some((ready, action, depth)) = open.pop() {
        let grants = ready.procedure.grants_of(action);
        add_locks(&mut locks, &locks_of(ready.procedure.locks.as_ref(), &grants));
        let callable = grants.procedures.iter().filter(|_| depth < CALL_DEPTH_MAX);
        open.extend(callable.filter_map(|name| {
            let called = generation.procedures.get(&name.as_str().parse().ok()?)?;
            Some((&**called, &called.procedure.action, depth + 1))
        }));
    }
    locks
}
