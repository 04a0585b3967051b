//! Places, locks and the order of arrival, without a host.

use super::*;
use sopwith_core::lock::LockMode::{self, Exclusive, Shared};

/// The runs 1 and 3 read one database, 2 and 5 replace it, 4 replaces another one, and the
/// rest need none.
fn needs(waiting: &Waiting) -> Needs {
    let locks: &[(&str, LockMode)] = match waiting.id {
        one if one == id(1) || one == id(3) => &[("databases.app", Shared)],
        one if one == id(2) || one == id(5) => &[("databases.app", Exclusive)],
        one if one == id(4) => &[("databases.other", Exclusive)],
        _ => &[],
    };
    let locks = locks.iter();
    Needs {
        locks: locks.map(|(name, mode)| (name.parse().unwrap(), *mode)).collect(),
        at_once: 1,
    }
}

fn run(number: u128) -> Waiting {
    Waiting {
        id: id(number),
        procedure: format!("clinic-{number}").parse().unwrap(),
        action: "check".parse().unwrap(),
        dry_run: false,
        not_before: None,
        has_started: false,
        start_by: None,
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
    let started = queue.start(now, places, needs).into_iter();
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
    let exclusive = |_: &Waiting| Needs {
        locks: [("databases.app".parse().unwrap(), Exclusive)].into(),
        at_once: 1,
    };
    assert!(queue.start(Duration::ZERO, 8, exclusive).is_empty());
}

/// Runs of one action, which may be under way so many at once.
fn of_one_action(runs: &[Waiting], at_once: usize, expected: &[u128]) {
    let mut queue = Queue::default();
    for run in runs {
        queue.add(Waiting {
            procedure: "clinic".parse().unwrap(),
            ..run.clone()
        });
    }
    let needs = |_: &Waiting| Needs {
        locks: Locks::new(),
        at_once,
    };
    let started = queue.start(Duration::ZERO, 8, needs).into_iter();
    let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
    assert_eq!(started.map(|(id, _)| id).collect::<Vec<_>>(), expected);
}

#[test]
fn an_action_is_under_way_once_or_as_often_as_it_may() {
    of_one_action(&[run(1), run(2), run(3)], 1, &[1]);
    of_one_action(&[run(1), run(2), run(3)], 2, &[1, 2]);
    let dry = |number| Waiting {
        dry_run: true,
        ..run(number)
    };
    of_one_action(&[dry(1), run(2), dry(3), run(4)], 1, &[1, 2, 3]);
}

#[test]
fn no_run_of_an_action_starts_while_another_waits_to_go_on() {
    let asleep = |number| Waiting {
        not_before: Some(Duration::from_mins(1)),
        has_started: true,
        ..run(number)
    };
    of_one_action(&[run(2), asleep(1)], 1, &[]);
    let awake = |number| Waiting {
        not_before: None,
        ..asleep(number)
    };
    of_one_action(&[run(1), awake(2)], 1, &[2]);
    of_one_action(&[run(1), awake(2), awake(3)], 1, &[2]);
    of_one_action(&[run(1), awake(2)], 2, &[1, 2]);
}

#[test]
fn who_cannot_start_in_time_is_told() {
    let mut queue = queue(&[1]);
    let minute = |number: i64| Timestamp::from_second(60 * number).unwrap();
    queue.add(Waiting {
        start_by: Some(minute(5)),
        ..run(2)
    });
    assert_eq!(queue.overdue(minute(5)), []);
    assert_eq!(queue.overdue(minute(6)), [id(2)]);
}
