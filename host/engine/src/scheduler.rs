//! The loop that claims ticks as they come due.

use crate::attempt::removed;
use crate::due::{Deciding, Due, Tick};
use crate::engine::Engine;
use crate::presence::Presence;
use jiff::{SignedDuration, Timestamp};
use sopwith_core::actor::Actor;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::port::{Claim, Claimed, ScheduleRow, StoreError, Stored};
use sopwith_core::run::{Queued, Run, RunEvent, RunState, Trigger};
use sopwith_core::schedule::Schedule;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest sleep: an administrator may turn the clock meanwhile. So long, too, the host waits
/// before it asks a record again that is broken.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The schedules as the loop knows them.
#[derive(Default)]
struct Known {
    rows: Vec<ScheduleRow>,
    /// The generation that they are of.
    in_force: Option<Digest>,
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
            let wait = if self.look(&generation, &mut known, present_since).await {
                self.until_next(&generation, &known.rows)
            } else {
                LOOK_AGAIN_AFTER
            };
            tokio::select! {
                () = self.clock().sleep(wait) => {}
                Ok(()) = generations.changed() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Claims what is due; false where something did not work out and is to be tried again.
    async fn look(&self, generation: &Generation, known: &mut Known, present_since: Timestamp) -> bool {
        if known.in_force != Some(generation.digest) {
            match self.take_over(generation).await {
                Ok(rows) => known.rows = rows,
                Err(error) => {
                    tracing::error!(%error, "the schedules cannot be taken over; trying again");
                    return false;
                }
            }
            known.in_force = Some(generation.digest);
        }
        let mut well = true;
        if let Err(error) = self.miss_what_is_overdue().await {
            tracing::error!(%error, "the runs that cannot start in time cannot be ended; trying again");
            well = false;
        }
        for row in &mut known.rows {
            match self.claim_due(generation, row, present_since).await {
                Ok(true) => {}
                Ok(false) => {
                    known.in_force = None;
                    well = false;
                }
                Err(error) => {
                    tracing::error!(procedure = %row.procedure, schedule = %row.schedule, %error, "the tick cannot be claimed; trying again");
                    well = false;
                }
            }
        }
        well
    }

    /// Makes the store know the schedules of a generation, and looks through the runs that wait.
    async fn take_over(&self, generation: &Generation) -> Stored<Vec<ScheduleRow>> {
        let schedules: Vec<_> = all_schedules(generation)
            .map(|(ready, schedule)| {
                (
                    ready.procedure.name.clone(),
                    schedule.name.clone(),
                    revision(schedule),
                )
            })
            .collect();
        let now = self.now();
        let rows = self.store().set_schedules(&schedules, now).await?;
        for row in rows.iter().filter(|row| row.cursor > now) {
            tracing::warn!(procedure = %row.procedure, schedule = %row.schedule, until = %row.cursor, "the clock was turned back: ticks up to then are covered already and do not run again");
        }
        self.look_through(generation).await?;
        // Places and locks may have changed.
        self.start_what_can();
        Ok(rows)
    }

    /// Ends the runs of procedures that are gone, and queues those that this host never heard of
    /// because the answer was lost.
    async fn look_through(&self, generation: &Generation) -> Stored<()> {
        let unfinished = self.store().unfinished().await?.into_iter();
        for run in unfinished {
            if run.state == RunState::Running {
                // A newer run took its place, and only the answer was lost.
                if run.replaced_by.is_some() {
                    self.queue().interrupt(run.id());
                }
                continue;
            }
            if generation.procedures.contains_key(&run.queued.procedure) {
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

    /// Claims the ticks of one schedule; false where somebody else moved it on.
    async fn claim_due(
        &self,
        generation: &Generation,
        row: &mut ScheduleRow,
        present_since: Timestamp,
    ) -> Stored<bool> {
        let Some((ready, schedule)) = find(generation, row) else {
            return Ok(true);
        };
        let now = self.now();
        let deciding = Deciding {
            procedure: &row.procedure,
            schedule,
            now,
            present_since,
        };
        let Some(Due { runs, ranges, newest }) = deciding.due(row.cursor) else {
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
                row.cursor = newest;
                self.take_in(&runs, &replaced).await;
                Ok(true)
            }
            Claimed::Refused => Ok(false),
        }
    }

    /// What a schedule started, and what had to make way.
    async fn take_in(&self, runs: &[Run], replaced: &[Run]) {
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

    fn until_next(&self, generation: &Generation, rows: &[ScheduleRow]) -> Duration {
        let next = rows
            .iter()
            .filter_map(|row| {
                let (_, schedule) = find(generation, row)?;
                let next = schedule.next(row.cursor)?;
                Some(schedule.start_of(&row.procedure, next))
            })
            .min();
        let wait = next.map_or(SignedDuration::MAX, |instant| self.now().duration_until(instant));
        Duration::try_from(wait).unwrap_or_default().min(LOOK_AGAIN_AFTER)
    }
}

fn all_schedules(generation: &Generation) -> impl Iterator<Item = (&ReadyProcedure, &Schedule)> {
    let procedures = generation.procedures.values();
    procedures.flat_map(|ready| {
        ready
            .procedure
            .schedules
            .iter()
            .map(move |schedule| (&**ready, schedule))
    })
}

fn find<'a>(
    generation: &'a Generation,
    row: &ScheduleRow,
) -> Option<(&'a Arc<ReadyProcedure>, &'a Schedule)> {
    let ready = generation.procedures.get(&row.procedure)?;
    let mut schedules = ready.procedure.schedules.iter();
    let schedule = schedules.find(|schedule| schedule.name == row.schedule)?;
    Some((ready, schedule))
}

/// The digest of what decides the instants of a schedule; an edit of anything else leaves its
/// cursor where it is.
fn revision(schedule: &Schedule) -> Digest {
    let text = serde_json::to_vec(&schedule.when).expect("what names instants is text and numbers");
    Digest::of(text)
}
