//! Which run may start next: places, locks and the order of arrival.

use sopwith_core::lock::{Locks, add_locks, compatible};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::run::RunId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A run that waits for its place.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: RunId,
    pub(crate) procedure: ProcedureName,
    pub(crate) action: ActionName,
    /// A retry does not start before this, by the monotonic clock.
    pub(crate) not_before: Option<Duration>,
}

/// What a run that has its place holds.
#[derive(Debug)]
struct Held {
    locks: Locks,
    cancel: CancellationToken,
}

/// The runs that wait, and those that have their places.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Vec<Waiting>,
    running: BTreeMap<RunId, Held>,
    /// Runs that were called, in the places of their callers.
    called: BTreeMap<RunId, CancellationToken>,
}

impl Queue {
    /// Adds a run at the end; false where it is here already.
    pub(crate) fn add(&mut self, waiting: Waiting) -> bool {
        let known = self.is_running(waiting.id) || self.waiting.iter().any(|other| other.id == waiting.id);
        if !known {
            self.waiting.push(waiting);
        }
        !known
    }

    /// Takes a run out that has not started.
    pub(crate) fn remove(&mut self, id: RunId) {
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// Gives the place and the locks of a run back.
    pub(crate) fn release(&mut self, id: RunId) {
        self.running.remove(&id);
    }

    /// The runs that may start now, which from here on hold their places and locks, each with
    /// what tells it to end.
    ///
    /// The locks are asked for anew each time, since a reload may change them. Nobody overtakes
    /// a run that waits for the same lock, so that a restore is not starved by an endless row of
    /// backups.
    pub(crate) fn start(
        &mut self,
        now: Duration,
        places: usize,
        locks_of: impl Fn(&Waiting) -> Locks,
    ) -> Vec<(RunId, CancellationToken)> {
        let mut started = Vec::new();
        let mut ahead: Vec<Locks> = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for candidate in waiting {
            if candidate.not_before.is_some_and(|instant| instant > now) {
                self.waiting.push(candidate);
                continue;
            }
            let locks = locks_of(&candidate);
            let held = self.running.values().map(|held| &held.locks);
            let unlocked = held.chain(&ahead).all(|held| compatible(held, &locks));
            if self.running.len() < places && unlocked {
                let cancel = CancellationToken::new();
                started.push((candidate.id, cancel.clone()));
                self.running.insert(candidate.id, Held { locks, cancel });
            } else {
                ahead.push(locks);
                self.waiting.push(candidate);
            }
        }
        started
    }

    /// Tells a run that has its place to end.
    pub(crate) fn interrupt(&self, id: RunId) {
        let held = self.running.get(&id).map(|held| &held.cancel);
        if let Some(cancel) = held.or_else(|| self.called.get(&id)) {
            cancel.cancel();
        }
    }

    /// Takes in a run that was called, and what tells it to end.
    pub(crate) fn begin_called(&mut self, id: RunId, cancel: CancellationToken) {
        self.called.insert(id, cancel);
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
mod tests {
    use super::*;
    use sopwith_core::lock::LockMode::{self, Exclusive, Shared};

    /// The runs 1 and 3 read one database, 2 and 5 replace it, 4 replaces another one, and the
    /// rest need none.
    fn locks(waiting: &Waiting) -> Locks {
        let locks: &[(&str, LockMode)] = match waiting.id {
            one if one == id(1) || one == id(3) => &[("databases.app", Shared)],
            one if one == id(2) || one == id(5) => &[("databases.app", Exclusive)],
            one if one == id(4) => &[("databases.other", Exclusive)],
            _ => &[],
        };
        let locks = locks.iter();
        locks.map(|(name, mode)| (name.parse().unwrap(), *mode)).collect()
    }

    fn run(number: u128) -> Waiting {
        Waiting {
            id: id(number),
            procedure: "clinic".parse().unwrap(),
            action: "check".parse().unwrap(),
            not_before: None,
        }
    }

    fn id(number: u128) -> RunId {
        RunId::new(jiff::Timestamp::UNIX_EPOCH, number)
    }

    fn queue(numbers: &[u128]) -> Queue {
        let mut queue = Queue::default();
        for number in numbers {
            queue.add(run(*number));
        }
        queue
    }

    fn check(queue: &mut Queue, now: Duration, places: usize, expected: &[u128]) {
        let started = queue.start(now, places, locks).into_iter();
        let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
        assert_eq!(started.map(|(id, _)| id).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn places_are_given_in_the_order_of_arrival() {
        let mut queue = queue(&[8, 6, 7]);
        check(&mut queue, Duration::ZERO, 2, &[8, 6]);
        check(&mut queue, Duration::ZERO, 2, &[]);
        queue.release(id(8));
        check(&mut queue, Duration::ZERO, 2, &[7]);
    }

    #[test]
    fn a_restore_waits_for_the_backups_before_it_and_holds_those_after_it_back() {
        let mut queue = queue(&[1, 2, 3, 4]);
        check(&mut queue, Duration::ZERO, 8, &[1, 4]);
        queue.release(id(1));
        check(&mut queue, Duration::ZERO, 8, &[2]);
        queue.release(id(2));
        check(&mut queue, Duration::ZERO, 8, &[3]);
    }

    #[test]
    fn a_retry_that_sleeps_holds_nobody_back() {
        let later = Duration::from_mins(1);
        let mut queue = Queue::default();
        queue.add(Waiting {
            not_before: Some(later),
            ..run(2)
        });
        queue.add(run(5));
        check(&mut queue, Duration::ZERO, 8, &[5]);
        queue.release(id(5));
        check(&mut queue, later, 8, &[2]);
    }

    #[test]
    fn a_run_is_queued_once() {
        let mut queue = queue(&[1, 1]);
        check(&mut queue, Duration::ZERO, 8, &[1]);
        queue.add(run(1));
        check(&mut queue, Duration::ZERO, 8, &[]);
    }

    #[test]
    fn the_locks_are_those_of_the_moment_of_the_start() {
        let mut queue = queue(&[1, 3]);
        check(&mut queue, Duration::ZERO, 1, &[1]);
        let exclusive = |_: &Waiting| [("databases.app".parse().unwrap(), Exclusive)].into();
        assert!(queue.start(Duration::ZERO, 8, exclusive).is_empty());
    }
}
