//! What holds of every record, whatever happened to its hosts.

use crate::support::{Host, World};
use jiff::Timestamp;
use sopwith_core::failure::Blame;
use sopwith_core::port::operations::AuditOperations as _;
use sopwith_core::port::{Scheduling as _, Store as _, TickOutcome};
use sopwith_core::procedure::Procedure;
use sopwith_core::run::{Run, RunState, Trigger};
use sopwith_core::schedule::{After, When};
use std::collections::{BTreeMap, BTreeSet};

/// Checks everything, once all runs have come to their end.
pub(crate) fn check_all(world: &World, host: &Host, since: Timestamp, procedures: &[Procedure]) {
    assert_eq!(world.stage.violations(), [] as [String; 0]);
    let left = world.stage.leftovers().into_iter().map(|id| host.run(id));
    let left: Vec<_> = left
        .map(|run| (run.id(), run.state, run.queued.trigger))
        .collect();
    assert!(left.is_empty(), "these have not cleared up: {left:?}");
    let mut calls = BTreeMap::new();
    for seen in world.stage.seen() {
        *calls.entry(seen.run).or_insert(0) += 1;
    }
    for run in host.runs() {
        replays(host, &run);
        let calls = calls.get(&run.id()).copied().unwrap_or(0);
        is_sound(&run, calls, procedures);
    }
    let runs = host.runs();
    for procedure in procedures {
        match procedure.schedules.first().map(|schedule| &schedule.when) {
            Some(When::After(after)) => is_followed(host, &runs, procedure, after),
            _ => is_covered(host, since, procedure),
        }
        is_not_too_much_at_once(&runs, procedure);
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
        calls <= run.attempt + run.resumed + run.suspensions,
        "{id} was called {calls} times in {} attempts, resumed {} times, suspended {} times",
        run.attempt,
        run.resumed,
        run.suspensions
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

/// Each end of a run that is followed has exactly one row, or is still owed.
fn is_followed(host: &Host, runs: &[Run], procedure: &Procedure, after: &After) {
    let followed = |run: &&Run| run.queued.procedure == after.procedure && !run.queued.dry_run;
    let ended = runs
        .iter()
        .filter(followed)
        .filter(|run| run.state.is_final())
        .count();
    let mut answered = BTreeSet::new();
    let mut rows = 0;
    for outcome in host.ticks(procedure.name.as_str()) {
        match outcome {
            TickOutcome::Run(run) => {
                rows += 1;
                let Trigger::After { run, .. } = run.queued.trigger else {
                    continue;
                };
                assert!(answered.insert(run), "{run} was answered twice");
            }
            TickOutcome::Range(range) => rows += usize::try_from(range.count).unwrap(),
        }
    }
    let owed = host.ask(host.record().owed()).len();
    assert_eq!(
        rows + owed,
        ended,
        "ends of `{}` without an answer",
        after.procedure
    );
}

/// No more runs of an action are between their start and their end at once than it may have.
fn is_not_too_much_at_once(runs: &[Run], procedure: &Procedure) {
    let most = procedure.at_once(&procedure.action);
    let of_it: Vec<_> = runs
        .iter()
        .filter(|run| run.queued.procedure == procedure.name && !run.queued.dry_run)
        // Those that were called take turns by their attempts: they may not wait for what is suspended.
        .filter(|run| run.queued.trigger.caller().is_none())
        .filter_map(|run| Some((run.started_at?, run.ended_at?, run.id())))
        // Of those that took no time nobody can say which came first.
        .filter(|(started, ended, _)| started < ended)
        .collect();
    for (started, _, id) in &of_it {
        let others = of_it.iter().filter(|(other_started, other_ended, other)| {
            other != id && other_started <= started && started < other_ended
        });
        let others: Vec<_> = others.collect();
        assert!(
            others.len() < most,
            "more than {most} of `{}` at the start of {id} at {started}: {others:?}",
            procedure.name
        );
    }
}
