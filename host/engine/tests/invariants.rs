//! What holds of every record, whatever happened to its hosts.

use crate::support::{Host, World};
use jiff::Timestamp;
use sopwith_core::failure::Blame;
use sopwith_core::port::operations::AuditOperations as _;
use sopwith_core::port::{Store as _, TickOutcome};
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Run, RunState};
use std::collections::BTreeMap;

/// Checks everything, once all runs have come to their end.
pub(crate) fn check_all(world: &World, host: &Host, since: Timestamp, procedures: &[Procedure]) {
    assert_eq!(world.stage.violations(), [] as [String; 0]);
    assert!(
        world.stage.leftovers().is_empty(),
        "ended runs have not cleared up"
    );
    let mut calls = BTreeMap::new();
    for seen in world.stage.seen() {
        *calls.entry(seen.run).or_insert(0) += 1;
    }
    for run in host.runs() {
        replays(host, &run);
        let calls = calls.get(&run.id()).copied().unwrap_or(0);
        is_sound(&run, calls, procedures);
    }
    for procedure in procedures {
        is_covered(host, since, procedure);
    }
    let verdict = host.ask(host.desk().verify_audit(Vec::new()));
    assert_eq!(verdict.broken, None);
}

fn replays(host: &Host, run: &Run) {
    let events = host.ask(host.record().events(run.id()));
    assert_eq!(Run::replay(events).unwrap().as_ref(), Some(run));
}

fn is_sound(run: &Run, calls: u32, procedures: &[Procedure]) {
    let id = run.id();
    assert!(run.state.is_final(), "{id} is {}", run.state);
    assert!(
        calls <= run.attempt + run.resumed,
        "{id} was called {calls} times in {} attempts, resumed {} times",
        run.attempt,
        run.resumed
    );
    if run.state == RunState::Lost {
        assert_eq!(run.failure.as_ref().unwrap().blame, Blame::Host);
    }
    if run.cancelled_by.is_some() {
        let ended = [RunState::Cancelled, RunState::Succeeded];
        assert!(ended.contains(&run.state), "{id} is {}", run.state);
    }
    let Some(procedure) = procedures.iter().find(|other| other.name == run.queued.procedure) else {
        return;
    };
    assert!(
        run.attempt <= procedure.retry.max + 1,
        "{id} had {} attempts",
        run.attempt
    );
    assert!(
        run.resumed <= procedure.resume_max,
        "{id} was resumed {} times",
        run.resumed
    );
}

/// Every tick is covered by exactly one row.
fn is_covered(host: &Host, since: Timestamp, procedure: &Procedure) {
    let Some(schedule) = procedure.schedules.first() else {
        return;
    };
    let rows = host.ask(host.record().schedules());
    let row = rows.iter().find(|row| row.procedure == procedure.name).unwrap();
    let mut expected = std::iter::successors(schedule.next(since), |tick| schedule.next(*tick))
        .take_while(|tick| *tick <= row.cursor);
    for outcome in host.ticks(procedure.name.as_str()) {
        let (last, count) = match &outcome {
            TickOutcome::Run(run) => (run.queued.trigger.nominal_at().unwrap(), 1),
            TickOutcome::Range(range) => (range.last, range.count),
        };
        let covered: Vec<_> = expected.by_ref().take(usize::try_from(count).unwrap()).collect();
        assert_eq!(covered.last(), Some(&last), "{outcome:?}");
        if let TickOutcome::Range(range) = &outcome {
            assert_eq!(covered.first(), Some(&range.first), "{outcome:?}");
        }
    }
    assert_eq!(
        expected.next(),
        None,
        "a tick of `{}` is covered by nothing",
        procedure.name
    );
}
