//! The instants that schedules name, from now or from any other time on.

use jiff::{SignedDuration, Timestamp};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::port::NoRun;
use sopwith_core::port::operations::{ComingFilter, ComingTick};
use sopwith_core::schedule::Schedule;
use std::sync::Arc;

/// Ticks that one question returns at most.
const TICKS_MAX: u32 = 10_000;

/// The instants that fit, in order; each schedule reads times without a zone by its own clocks.
pub(crate) fn coming(
    procedures: &[Arc<ReadyProcedure>],
    now: Timestamp,
    filter: &ComingFilter,
) -> Result<Vec<ComingTick>, Failure> {
    let count = filter.count.unwrap_or(TICKS_MAX).min(TICKS_MAX);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut ticks = Vec::new();
    for ready in procedures {
        for schedule in &ready.procedure.schedules {
            let instants = instants(schedule, now, filter)?.take(count);
            ticks.extend(instants.map(|at| tick(ready, schedule, at)));
        }
    }
    ticks.sort_by_key(|tick| tick.at);
    ticks.truncate(count);
    Ok(ticks)
}

fn instants(
    schedule: &Schedule,
    now: Timestamp,
    filter: &ComingFilter,
) -> Result<impl Iterator<Item = Timestamp>, Failure> {
    let zone = schedule.when.zone();
    let end = filter.until.and_then(|until| until.end(&zone));
    let from = filter.from.and_then(|from| from.start(&zone));
    if end.is_some_and(|end| end <= from.unwrap_or(now)) {
        let message = "the end is not after the beginning: no instant lies between them";
        return Err(Failure::new(FailureKind::Invalid, Blame::Operator, message));
    }
    // What comes at the beginning itself is asked for, too.
    let after = from.map_or(now, |from| {
        from.checked_sub(SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MIN)
    });
    let all = std::iter::successors(schedule.next(after), |instant| schedule.next(*instant));
    Ok(all.take_while(move |instant| end.is_none_or(|end| *instant < end)))
}

fn tick(ready: &ReadyProcedure, schedule: &Schedule, at: Timestamp) -> ComingTick {
    ComingTick {
        procedure: ready.procedure.name.clone(),
        schedule: schedule.name.clone(),
        action: schedule.action.clone(),
        at,
        local: at
            .to_zoned(schedule.when.zone())
            .strftime("%Y-%m-%d %H:%M:%S %Z")
            .to_string(),
        near_clock_change: schedule.when.near_clock_change(at),
        starts_at: schedule.start_unless_skipped(&ready.procedure.name, at),
        closed: schedule.closed(at).map(NoRun::from),
    }
}
