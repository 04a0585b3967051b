//! Which run may start next: places, locks and the order of arrival.

use jiff::Timestamp;
use sopwith_core::lock::{Locks, add_locks, compatible};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::run::{Run, RunId};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A run that waits for its place.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: RunId,
    pub(crate) procedure: ProcedureName,
    pub(crate) action: ActionName,
    /// Whether it changes nothing, and stands in nobody's way but by its locks.
    pub(crate) dry_run: bool,
    /// A retry does not start before this, by the monotonic clock.
    pub(crate) not_before: Option<Duration>,
    /// Whether it has started before, and goes on.
    pub(crate) has_started: bool,
    /// Where it has not started by then, it is missed.
    pub(crate) start_by: Option<Timestamp>,
}

impl Waiting {
    /// A run, which does not start before this.
    pub(crate) fn of(run: &Run, not_before: Option<Duration>) -> Self {
        Self {
            id: run.id(),
            procedure: run.queued.procedure.clone(),
            action: run.queued.action.clone(),
            dry_run: run.queued.dry_run,
            not_before,
            has_started: run.started_at.is_some(),
            start_by: run.queued.start_by.filter(|_| run.started_at.is_none()),
        }
    }

    /// By what runs stand in each other's way; a dry one does not.
    fn key(&self) -> Option<Key<'_>> {
        (!self.dry_run).then_some((&self.procedure, &self.action))
    }
}

/// An action of a procedure.
type Key<'a> = (&'a ProcedureName, &'a ActionName);

/// How many runs of each action there are.
#[derive(Default)]
struct Counts<'a> {
    running: BTreeMap<Key<'a>, usize>,
    /// Those that wait to go on, also while they sleep.
    begun: BTreeMap<Key<'a>, usize>,
    /// Those that were passed over: such as go on, and such as do not.
    passed_over: [BTreeMap<Key<'a>, usize>; 2],
}

impl<'a> Counts<'a> {
    fn of(
        running: impl Iterator<Item = &'a Waiting>,
        waiting: &'a [Waiting],
        asleep: impl Iterator<Item = &'a Waiting>,
    ) -> Self {
        let mut counts = Self::default();
        for key in running.filter_map(Waiting::key) {
            *counts.running.entry(key).or_default() += 1;
        }
        let begun = waiting.iter().filter(|one| one.has_started).chain(asleep);
        for key in begun.filter_map(Waiting::key) {
            *counts.begun.entry(key).or_default() += 1;
        }
        counts
    }

    /// How many of its action come before it.
    fn before(&self, candidate: &'a Waiting) -> usize {
        let Some(key) = candidate.key() else { return 0 };
        let count = |counts: &BTreeMap<Key<'a>, usize>| counts.get(&key).copied().unwrap_or(0);
        let passed_over = count(&self.passed_over[usize::from(candidate.has_started)]);
        let begun = if candidate.has_started {
            0
        } else {
            count(&self.begun)
        };
        count(&self.running) + passed_over + begun
    }

    fn pass_over(&mut self, candidate: &'a Waiting) {
        if let Some(key) = candidate.key() {
            *self.passed_over[usize::from(candidate.has_started)]
                .entry(key)
                .or_default() += 1;
        }
    }

    fn choose(&mut self, candidate: &'a Waiting) {
        let Some(key) = candidate.key() else { return };
        *self.running.entry(key).or_default() += 1;
        if candidate.has_started
            && let Some(begun) = self.begun.get_mut(&key)
        {
            *begun -= 1;
        }
    }
}

/// What a run needs beside a place.
#[derive(Debug)]
pub(crate) struct Needs {
    pub(crate) locks: Locks,
    /// How many runs of its action may be under way at once.
    pub(crate) at_once: usize,
}

/// What a run that has its place holds.
#[derive(Debug)]
struct Held {
    run: Waiting,
    locks: Locks,
    cancel: CancellationToken,
}

/// The runs that wait, and those that have their places.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Vec<Waiting>,
    running: BTreeMap<RunId, Held>,
    /// Runs that are suspended: they have no place, but come before those of their action that have not begun.
    asleep: BTreeMap<RunId, Asleep>,
    /// Runs that were called, in the places of their callers.
    called: BTreeMap<RunId, Called>,
}

/// A run that is suspended.
#[derive(Debug)]
struct Asleep {
    run: Waiting,
    /// As of which of its events.
    epoch: u64,
}

/// A run that was called.
#[derive(Debug)]
struct Called {
    run: Waiting,
    cancel: CancellationToken,
}

impl Queue {
    /// Adds a run at the end; false where it is here already.
    pub(crate) fn add(&mut self, waiting: Waiting) -> bool {
        self.asleep.remove(&waiting.id);
        let known = self.is_running(waiting.id) || self.waits(waiting.id);
        if !known {
            self.waiting.push(waiting);
        }
        !known
    }

    /// Remembers a run that is suspended, as of this one of its events.
    pub(crate) fn sleep(&mut self, run: Waiting, epoch: u64) {
        if self.asleep.get(&run.id).is_none_or(|known| known.epoch < epoch) {
            self.asleep.insert(run.id, Asleep { run, epoch });
        }
    }

    /// Forgets that a run is suspended, if that is all that is known of it.
    pub(crate) fn rouse(&mut self, id: RunId, epoch: u64) {
        if self.asleep.get(&id).is_some_and(|known| known.epoch == epoch) {
            self.asleep.remove(&id);
        }
    }

    /// Whether a run is here without a place.
    pub(crate) fn waits(&self, id: RunId) -> bool {
        self.asleep.contains_key(&id) || self.waiting.iter().any(|waiting| waiting.id == id)
    }

    /// The runs that are here without a place.
    pub(crate) fn all_that_wait(&self) -> Vec<RunId> {
        let waiting = self.waiting.iter().map(|waiting| waiting.id);
        waiting.chain(self.asleep.keys().copied()).collect()
    }

    /// Takes a run out that does not go on.
    pub(crate) fn remove(&mut self, id: RunId) {
        self.asleep.remove(&id);
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// Gives the place and the locks of a run back.
    pub(crate) fn release(&mut self, id: RunId) {
        self.running.remove(&id);
    }

    /// The runs that may start now, which from here on hold their places and locks, each with
    /// what tells it to end.
    ///
    /// The needs are asked for anew each time, since a reload may change them. Nobody overtakes
    /// a run that waits for the same lock, so that a restore is not starved by an endless row of
    /// backups; and no run of an action starts while another one waits to go on, if only for a retry.
    pub(crate) fn start(
        &mut self,
        now: Duration,
        places: usize,
        needs_of: impl Fn(&Waiting) -> Needs,
    ) -> Vec<(RunId, CancellationToken)> {
        let mut chosen = BTreeMap::new();
        let mut ahead: Vec<Locks> = Vec::new();
        let asleep = self.asleep.values().map(|one| &one.run);
        let mut of_action = Counts::of(self.under_way(), &self.waiting, asleep);
        for candidate in &self.waiting {
            if self.running.len() + chosen.len() >= places {
                break;
            }
            if candidate.not_before.is_some_and(|instant| instant > now) {
                continue;
            }
            let Needs { locks, at_once } = needs_of(candidate);
            if of_action.before(candidate) >= at_once {
                of_action.pass_over(candidate);
                continue;
            }
            let held = self.running.values().map(|held| &held.locks);
            let chosen_ones = chosen.values();
            if held
                .chain(chosen_ones)
                .chain(&ahead)
                .all(|held| compatible(held, &locks))
            {
                of_action.choose(candidate);
                chosen.insert(candidate.id, locks);
            } else {
                of_action.pass_over(candidate);
                ahead.push(locks);
            }
        }
        if chosen.is_empty() {
            return Vec::new();
        }
        let mut started = Vec::new();
        let taken = self.waiting.extract_if(.., |one| chosen.contains_key(&one.id));
        for run in taken.collect::<Vec<_>>() {
            let (id, cancel) = (run.id, CancellationToken::new());
            started.push((id, cancel.clone()));
            let locks = chosen.remove(&id).unwrap_or_default();
            self.running.insert(id, Held { run, locks, cancel });
        }
        started
    }

    /// The runs that wait and can start in time no more.
    pub(crate) fn overdue(&self, now: Timestamp) -> Vec<RunId> {
        let late = |one: &&Waiting| one.start_by.is_some_and(|start_by| now > start_by);
        self.waiting.iter().filter(late).map(|one| one.id).collect()
    }

    /// Tells a run that has its place to end.
    pub(crate) fn interrupt(&self, id: RunId) {
        let held = self.running.get(&id).map(|held| &held.cancel);
        if let Some(cancel) = held.or_else(|| self.called.get(&id).map(|called| &called.cancel)) {
            cancel.cancel();
        }
    }

    /// All that are under way, in places of their own or not.
    fn under_way(&self) -> impl Iterator<Item = &Waiting> {
        let called = self.called.values().map(|called| &called.run);
        self.running.values().map(|held| &held.run).chain(called)
    }

    /// Takes in a run that was called, and what tells it to end; false where as many of its action are under
    /// way as may be.
    pub(crate) fn begin_called(&mut self, run: Waiting, cancel: &CancellationToken, at_once: usize) -> bool {
        let others = self
            .under_way()
            .filter(|other| run.key().is_some() && other.key() == run.key());
        if others.count() >= at_once {
            return false;
        }
        self.asleep.remove(&run.id);
        let cancel = cancel.clone();
        self.called.insert(run.id, Called { run, cancel });
        true
    }

    /// Lets go of a run that was called.
    pub(crate) fn end_called(&mut self, id: RunId) {
        self.called.remove(&id);
    }

    /// Gives a run that has its place more locks; false, and nothing, where others hold them.
    pub(crate) fn lock_more(&mut self, id: RunId, more: &Locks) -> bool {
        let mut others = self.running.iter().filter(|(other, _)| **other != id);
        if !others.all(|(_, held)| compatible(&held.locks, more)) {
            return false;
        }
        if let Some(held) = self.running.get_mut(&id) {
            add_locks(&mut held.locks, more);
        }
        true
    }

    /// Tells all runs that have their places to end.
    pub(crate) fn interrupt_all(&self) {
        for held in self.running.values() {
            held.cancel.cancel();
        }
    }

    /// Whether a run has its place.
    pub(crate) fn is_running(&self, id: RunId) -> bool {
        self.running.contains_key(&id) || self.called.contains_key(&id)
    }

    /// How many have their places.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }
}

#[cfg(test)]
mod tests;
