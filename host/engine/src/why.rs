//! Says for every tick why it ran, was skipped or was missed: from rows, never from memory.

use crate::desk::Desk;
use jiff::{SignedDuration, Timestamp};
use sopwith_core::failure::Failure;
use sopwith_core::name::{ProcedureName, ScheduleName};
use sopwith_core::port::operations::Explanation;
use sopwith_core::port::{Stored, TickOutcome};

/// How many of the newest ticks are told when nobody names an instant.
const NEWEST: usize = 10;
/// How far around an instant ticks count as meant.
const AROUND: SignedDuration = SignedDuration::from_mins(1);
/// How far back the newest ticks are looked for at first, so that a long history is not read.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);
/// By how much further each further look goes.
const FURTHER: i32 = 8;

impl Desk {
    pub(crate) async fn explain(
        &self,
        procedure: &ProcedureName,
        at: Option<Timestamp>,
    ) -> Result<Vec<Explanation>, Failure> {
        let ready = self.ready(procedure)?;
        let now = self.engine.now();
        let pauses = self.engine.store().pauses().await?;
        let mut explanations = Vec::new();
        for schedule in &ready.procedure.schedules {
            let asked = (procedure, &schedule.name);
            let ticks = match at {
                Some(at) => {
                    let to = at.checked_add(AROUND).unwrap_or(Timestamp::MAX);
                    self.all_ticks(asked, before(at, AROUND), to).await?
                }
                None => self.newest_ticks(asked, now).await?,
            };
            let next_at = schedule.next_start(procedure, now);
            explanations.push(Explanation {
                schedule: schedule.name.clone(),
                ticks,
                next_at,
                paused: pauses
                    .iter()
                    .find(|pause| pause.scope.covers(procedure, &schedule.action))
                    .cloned(),
            });
        }
        Ok(explanations)
    }

    async fn newest_ticks(
        &self,
        asked: (&ProcedureName, &ScheduleName),
        now: Timestamp,
    ) -> Stored<Vec<TickOutcome>> {
        let mut look_back = LOOK_BACK;
        loop {
            let from = before(now, look_back);
            let mut ticks = self.all_ticks(asked, from, now).await?;
            if ticks.len() >= NEWEST || from == Timestamp::MIN {
                ticks.drain(..ticks.len().saturating_sub(NEWEST));
                return Ok(ticks);
            }
            look_back = look_back.saturating_mul(FURTHER);
        }
    }

    /// The ticks of a range; the store gives the oldest first, and so many at a time.
    async fn all_ticks(
        &self,
        (procedure, schedule): (&ProcedureName, &ScheduleName),
        mut from: Timestamp,
        to: Timestamp,
    ) -> Stored<Vec<TickOutcome>> {
        let mut ticks = Vec::new();
        loop {
            let page = self.engine.store().ticks(procedure, schedule, from, to).await?;
            let after = page.last().map(after);
            ticks.extend(page);
            match after {
                Some(after) if after > from && after <= to => from = after,
                _ => return Ok(ticks),
            }
        }
    }
}

/// The first instant that an outcome does not cover.
fn after(outcome: &TickOutcome) -> Timestamp {
    let last = match outcome {
        TickOutcome::Run(run) => run.queued.trigger.nominal_at().unwrap_or(Timestamp::MAX),
        TickOutcome::Range(range) => range.last,
    };
    last.checked_add(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MAX)
}

fn before(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_sub(by).unwrap_or(Timestamp::MIN)
}
