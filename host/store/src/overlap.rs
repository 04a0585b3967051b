//! Decides what becomes of runs that a schedule wants while earlier ones have not ended.

use crate::fault::Outcome;
use crate::runs;
use jiff::Timestamp;
use rusqlite::Connection;
use sopwith_core::actor::Actor;
use sopwith_core::run::{Queued, Run, RunEvent, RunId, RunState};
use sopwith_core::schedule::Overlap;

/// What was decided, and is done.
pub(crate) enum Decided {
    /// They are queued, and these earlier ones were told to end.
    Start { runs: Vec<Run>, replaced: Vec<Run> },
    /// None of them is queued.
    Skip(Vec<Queued>),
}

/// Queues runs of one action, or none of them. They do not stand in each other's way.
pub(crate) fn decide(
    connection: &Connection,
    queued: Vec<Queued>,
    overlap: Overlap,
    at: Timestamp,
) -> Outcome<Decided> {
    let Some(first) = queued.first() else {
        return Ok(Decided::Start {
            runs: Vec::new(),
            replaced: Vec::new(),
        });
    };
    let earlier = runs::under_way(connection, &first.procedure, &first.action)?;
    if !allows(overlap, &earlier) {
        return Ok(Decided::Skip(queued));
    }
    let mut replaced = Vec::new();
    if overlap == Overlap::Replace {
        let by = first.id;
        for run in earlier {
            replaced.extend(replace(connection, &run, by, at)?);
        }
    }
    let runs = queued.into_iter().map(|queued| runs::queue(connection, queued));
    Ok(Decided::Start {
        runs: runs.collect::<Outcome<_>>()?,
        replaced,
    })
}

fn allows(overlap: Overlap, earlier: &[Run]) -> bool {
    match overlap {
        Overlap::Forbid => earlier.is_empty(),
        Overlap::QueueOne => earlier.iter().all(|run| run.started_at.is_some()),
        Overlap::Replace => true,
        Overlap::Allow { max } => earlier.len() < usize::try_from(max).unwrap_or(usize::MAX),
    }
}

/// Tells a run to end; one that waits has ended with this. None where somebody told it before.
fn replace(connection: &Connection, run: &Run, by: RunId, at: Timestamp) -> Outcome<Option<Run>> {
    if run.cancelled_by.is_some() {
        return Ok(None);
    }
    let request = RunEvent::CancelRequested {
        at,
        by: Actor::Schedule,
        replaced_by: Some(by),
    };
    let run = runs::apply(connection, run.id(), run.epoch, &request, &Actor::Schedule)?;
    if run.state == RunState::Running {
        return Ok(Some(run));
    }
    let end = RunEvent::Cancelled {
        at,
        failure: run.asked_to_end(),
    };
    runs::apply(connection, run.id(), run.epoch, &end, &Actor::Schedule).map(Some)
}
