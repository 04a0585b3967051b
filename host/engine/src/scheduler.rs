//! The loop that claims ticks as they come due.

use crate::attempt::removed;
use crate::due::{Deciding, Due, Tick};
use crate::engine::Engine;
use crate::presence::Presence;
use crate::starting::{followers, has_followers};
use crate::watch::{Known, Watched, all_schedules, find, paused_since, revision};
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::port::{Claim, Claimed, Pause, ScheduleRow, StoreError, Stored};
use sopwith_core::run::{Queued, Run, RunEvent, RunState, Trigger};
use sopwith_core::schedule::Schedule;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest sleep: an administrator may turn the clock meanwhile. So long, too, the host waits
/// before it asks a record again that is broken.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How many claims are under way at once: one commit of the record carries many.
const CLAIMS_AT_ONCE: usize = 64;

/// What became of the claims of one schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claims {
    Hold,
    Refused,
    Failed,
}

impl Engine {
    /// Claims ticks until it is told to stop.
    pub async fn schedule(&self, stop: CancellationToken) {
        let mut generations = self.generations();
        let mut known = Known::default();
        let mut presence = Presence::new(self.up_since(), self.now());
        while !stop.is_cancelled() {
            let generation = generations.borrow_and_update().clone();
            let present_since = presence.since(self.now());
            let claimed = self.look(&generation, &mut known, present_since).await;
            let wait = match self.wake_due().await {
                Ok(next) if claimed => {
                    let now = self.now();
                    let waking =
                        next.map(|next| Duration::try_from(now.duration_until(next)).unwrap_or_default());
                    let ticking = known.until_next(now).min(LOOK_AGAIN_AFTER);
                    waking.map_or(ticking, |waking| waking.min(ticking))
                }
                Ok(_) => LOOK_AGAIN_AFTER,
                Err(error) => {
                    tracing::error!(%error, "runs that wait cannot go on; trying again");
                    LOOK_AGAIN_AFTER
                }
            };
            let until = self.clock().monotonic().saturating_add(wait);
            loop {
                let rest = until.saturating_sub(self.clock().monotonic());
                tokio::select! {
                    () = self.clock().sleep(rest) => break,
                    Ok(()) = generations.changed() => break,
                    () = stop.cancelled() => break,
                    () = self.attention() => {
                        known.unattended = true;
                        if self.attend(&generation, &mut known, present_since).await {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Looks at what has ended and what is paused; true where that changes what is due.
    async fn attend(&self, generation: &Generation, known: &mut Known, present_since: Timestamp) -> bool {
        match self.look_at_ends(generation, present_since).await {
            Ok(()) => known.unattended = false,
            Err(error) => {
                tracing::error!(%error, "what has ended cannot be looked at; trying again");
                // A run may have been queued, and only the answer was lost.
                known.in_force = None;
                return false;
            }
        }
        let before = std::mem::replace(&mut known.pauses, self.pauses());
        let has_changed = before != known.pauses;
        if has_changed {
            known.in_force = None;
        }
        has_changed
    }

    async fn look_at_ends(&self, generation: &Generation, present_since: Timestamp) -> Stored<()> {
        self.pause_what_fails(generation).await?;
        if has_followers(generation) {
            self.start_what_is_owed(generation, present_since).await?;
        }
        Ok(())
    }

    /// Claims what is due; false where something did not work out and is to be tried again.
    async fn look(&self, generation: &Generation, known: &mut Known, present_since: Timestamp) -> bool {
        if known.in_force != Some(generation.digest) {
            match self.take_over(generation, present_since).await {
                Ok(rows) => known.watched = rows.into_iter().map(Watched::new).collect(),
                Err(error) => {
                    tracing::error!(%error, "the schedules cannot be taken over; trying again");
                    return false;
                }
            }
            known.in_force = Some(generation.digest);
            known.unattended = true;
            known.pauses = self.pauses();
        }
        if known.unattended {
            self.attend(generation, known, present_since).await;
        }
        let mut well = !known.unattended && known.in_force.is_some();
        if let Err(error) = self.miss_what_is_overdue().await {
            tracing::error!(%error, "the runs that cannot start in time cannot be ended; trying again");
            well = false;
        }
        let now = self.now();
        let mut due = Vec::new();
        for watched in &mut known.watched {
            if watched.is_due(now) {
                due.push(self.try_to_claim(generation, watched, &known.pauses, present_since));
            }
        }
        let mut claims = stream::iter(due).buffer_unordered(CLAIMS_AT_ONCE);
        while let Some(claimed) = claims.next().await {
            well &= claimed == Claims::Hold;
            if claimed == Claims::Refused {
                known.in_force = None;
            }
        }
        well
    }

    async fn try_to_claim(
        &self,
        generation: &Generation,
        watched: &mut Watched,
        pauses: &[Pause],
        present_since: Timestamp,
    ) -> Claims {
        match self.claim_due(generation, watched, pauses, present_since).await {
            Ok(true) => Claims::Hold,
            Ok(false) => Claims::Refused,
            Err(error) => {
                let row = &watched.row;
                tracing::error!(procedure = %row.procedure, schedule = %row.schedule, %error, "the tick cannot be claimed; trying again");
                Claims::Failed
            }
        }
    }

    /// Makes the store know the schedules of a generation, and looks through the runs that wait.
    async fn take_over(&self, generation: &Generation, present_since: Timestamp) -> Stored<Vec<ScheduleRow>> {
        let schedules: Vec<_> = all_schedules(generation)
            .map(|(ready, schedule)| {
                (
                    ready.procedure.name.clone(),
                    schedule.name.clone(),
                    revision(schedule),
                )
            })
            .collect();
        self.read_pauses().await?;
        let now = self.now();
        let rows = self.store().set_schedules(&schedules, now).await?;
        for row in rows.iter().filter(|row| row.cursor > now) {
            tracing::warn!(procedure = %row.procedure, schedule = %row.schedule, until = %row.cursor, "the clock was turned back: ticks up to then are covered already and do not run again");
        }
        self.store().set_followers(followers(generation)).await?;
        self.look_through(generation).await?;
        self.start_what_is_owed(generation, present_since).await?;
        // Places and locks may have changed.
        self.start_what_can();
        Ok(rows)
    }

    /// Ends the runs of procedures that are gone, and looks at those of whose beginning or end this host never
    /// heard because the answer was lost.
    async fn look_through(&self, generation: &Generation) -> Stored<()> {
        let known = self.queue().all_that_wait();
        let unfinished = self.store().unfinished().await?;
        let live: BTreeSet<_> = unfinished.iter().map(Run::id).collect();
        for id in known.into_iter().filter(|id| !live.contains(id)) {
            self.look_again(id);
        }
        for run in unfinished {
            if run.state == RunState::Running {
                // A newer run took its place, and only the answer was lost.
                if run.replaced_by.is_some() {
                    self.queue().interrupt(run.id());
                }
                continue;
            }
            if let Some(ready) = generation.procedures.get(&run.queued.procedure) {
                let run = self.ask_anew_where_it_changed(ready, run).await?;
                self.enqueue(&run);
                continue;
            }
            let event = RunEvent::Cancelled {
                at: self.now(),
                failure: removed(&run),
            };
            match self.end_waiting(&run, event, &Actor::Host).await {
                // It has gone on since, and finds that its procedure is gone.
                Ok(_) | Err(StoreError::Stale { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Claims the ticks of one schedule; false where somebody else moved it on, or paused it.
    async fn claim_due(
        &self,
        generation: &Generation,
        watched: &mut Watched,
        pauses: &[Pause],
        present_since: Timestamp,
    ) -> Stored<bool> {
        let row = &watched.row;
        let Some((ready, schedule)) = find(generation, row) else {
            watched.look_at = None;
            return Ok(true);
        };
        let now = self.now();
        let deciding = Deciding {
            procedure: &row.procedure,
            schedule,
            now,
            present_since,
            paused_since: paused_since(pauses, row, schedule),
        };
        let Some(Due { runs, ranges, newest }) = deciding.due(row.cursor) else {
            watched.look_again(schedule, pauses, now);
            return Ok(true);
        };
        let claim = Claim {
            seen: row.clone(),
            cursor: newest,
            runs: self.runs_of(ready, schedule, &runs),
            overlap: schedule.overlap,
            ranges,
            at: now,
        };
        match self.store().claim(claim).await? {
            Claimed::Held { runs, replaced } => {
                watched.row.cursor = newest;
                watched.look_again(schedule, pauses, now);
                self.take_in(&runs, &replaced).await;
                Ok(true)
            }
            Claimed::Refused => Ok(false),
        }
    }

    /// What a schedule started, and what had to make way.
    pub(crate) async fn take_in(&self, runs: &[Run], replaced: &[Run]) {
        for run in runs {
            self.enqueue(run);
        }
        for run in replaced {
            self.after_replacement(run).await;
        }
    }

    /// The runs of ticks; their ids are in the order of the ticks.
    fn runs_of(&self, ready: &ReadyProcedure, schedule: &Schedule, ticks: &[Tick]) -> Vec<Queued> {
        let mut runs: Vec<_> = ticks
            .iter()
            .map(|tick| {
                let trigger = Trigger::Schedule {
                    schedule: schedule.name.clone(),
                    nominal_at: tick.nominal_at,
                };
                let (action, inputs) = (schedule.action.clone(), schedule.inputs.clone());
                let queued = self.queued(ready, action, inputs, trigger, Actor::Schedule, false);
                Queued {
                    start_by: tick.start_by,
                    ..queued
                }
            })
            .collect();
        let mut ids: Vec<_> = runs.iter().map(|run| run.id).collect();
        ids.sort_unstable();
        for (run, id) in runs.iter_mut().zip(ids) {
            run.id = id;
        }
        runs
    }
}
