//! The schedules as the loop that claims ticks knows them.

use jiff::{SignedDuration, Timestamp};
use sopwith_core::digest::Digest;
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::port::{Pause, ScheduleRow};
use sopwith_core::schedule::Schedule;
use std::sync::Arc;
use std::time::Duration;

/// The schedules as the loop knows them.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) watched: Vec<Watched>,
    /// The generation that they are of.
    pub(crate) in_force: Option<Digest>,
    /// What is paused.
    pub(crate) pauses: Arc<[Pause]>,
    /// Whether something has ended that nobody has looked at.
    pub(crate) unattended: bool,
}

/// A schedule, and when to look at it again: whoever has thousands does not look at each of them each second.
pub(crate) struct Watched {
    pub(crate) row: ScheduleRow,
    pub(crate) look_at: Option<Timestamp>,
}

impl Watched {
    /// A row that is to be looked at.
    pub(crate) fn new(row: ScheduleRow) -> Self {
        Self {
            row,
            look_at: Some(Timestamp::MIN),
        }
    }

    /// Whether there may be something to claim.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.look_at.is_some_and(|at| at <= now)
    }

    /// Decides when to look at it again, after that was done at `now`.
    pub(crate) fn look_again(&mut self, schedule: &Schedule, pauses: &[Pause], now: Timestamp) {
        let next = schedule.next(self.row.cursor);
        let is_paused = paused_since(pauses, &self.row, schedule).is_some();
        let start = next.map(|next| {
            if is_paused {
                next
            } else {
                schedule.start_of(&self.row.procedure, next)
            }
        });
        // What its start does not bring about is asked for again after a while.
        let later = now.checked_add(A_WHILE).unwrap_or(Timestamp::MAX);
        self.look_at = start.map(|start| if start <= now { later } else { start });
    }
}

const A_WHILE: SignedDuration = SignedDuration::from_secs(1);

impl Known {
    /// How long nothing is due.
    pub(crate) fn until_next(&self, now: Timestamp) -> Duration {
        let next = self.watched.iter().filter_map(|watched| watched.look_at).min();
        let wait = next.map_or(SignedDuration::MAX, |instant| now.duration_until(instant));
        Duration::try_from(wait).unwrap_or_default()
    }
}

/// Since when the ticks of a schedule are held off.
pub(crate) fn paused_since(pauses: &[Pause], row: &ScheduleRow, schedule: &Schedule) -> Option<Timestamp> {
    let pauses = pauses.iter();
    let of_it = pauses.filter(|pause| pause.scope.covers(&row.procedure, &schedule.action));
    of_it.map(|pause| pause.since).min()
}

/// All schedules of a generation.
pub(crate) fn all_schedules(generation: &Generation) -> impl Iterator<Item = (&ReadyProcedure, &Schedule)> {
    let procedures = generation.procedures.values();
    procedures.flat_map(|ready| {
        let schedules = ready.procedure.schedules.iter();
        schedules.map(move |schedule| (&**ready, schedule))
    })
}

/// The schedule of a row.
pub(crate) fn find<'a>(
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
pub(crate) fn revision(schedule: &Schedule) -> Digest {
    let text = serde_json::to_vec(&schedule.when).expect("what names instants is text and numbers");
    Digest::of(text)
}
