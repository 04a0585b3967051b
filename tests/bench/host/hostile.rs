//! A host under attack: how soon an attack is over once its time is up, what it costs the host in
//! memory, and what its neighbours notice of it.

#[expect(dead_code, reason = "the tests attack in more ways")]
#[path = "../../acceptance/hostile/arena.rs"]
mod arena;
#[expect(dead_code, reason = "how an attack ends is the affair of the tests")]
#[path = "../../acceptance/hostile/attacks.rs"]
mod attacks;
#[expect(dead_code, reason = "the sandbox has more of them")]
#[path = "../../../host/sandbox/tests/main/hostile.rs"]
mod bombs;
#[path = "../../acceptance/hostile/growth.rs"]
mod growth;
#[expect(dead_code, reason = "the sandbox needs more of them")]
#[path = "../../../host/sandbox/tests/main/guests.rs"]
mod guests;

use arena::Arena;
use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 9;
/// The time that each of these attacks is given.
const TIMEOUT: Duration = Duration::from_secs(1);
const OVERTIME_MAX: Duration = Duration::from_millis(100);
/// What goes on until its time is up.
const ENDLESS: [&str; 8] = [
    "spin",
    "sleep-in-the-host",
    "sleep-in-wasi",
    "poll-for-ever",
    "stalled-body",
    "stalled-http",
    "slow-name",
    "endless",
];

/// How often a neighbour runs, and how often it is looked at.
const EVERY: Duration = Duration::from_millis(50);
const NEIGHBOUR_RUNS: usize = 400;
/// How much later it may be under attack, and how many attack at once.
const LATER_MAX: Duration = Duration::from_millis(20);
const ATTACKERS: usize = 2;

pub(crate) fn measure() {
    let mut arena = Arena::new();
    arena.quiet();
    overtime(&arena);
    memory(&arena);
    neighbour(&arena);
}

fn overtime(arena: &Arena) {
    for action in ENDLESS {
        let over: Samples = (0..ROUNDS)
            .map(|_| {
                let run = arena.end(arena.start("impatient", action));
                let (ended, started) = run.ended_at.zip(run.started_at).expect("a run that has ended");
                ended
                    .duration_since(started)
                    .unsigned_abs()
                    .saturating_sub(TIMEOUT)
            })
            .collect();
        for (which, percent) in [("median", 50), ("longest", 100)] {
            let figure = Figure {
                name: &format!("`{action}` after its deadline, {which}"),
                measured: Quantity::Time(over.percentile(percent)),
                baseline: ("its deadline", Quantity::Time(TIMEOUT)),
                target: Target::AtMost(Quantity::Time(OVERTIME_MAX)),
            };
            figure.tell();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some mebibytes")]
fn memory(arena: &Arena) {
    let mebibytes = |bytes: u64| Quantity::Mebibytes(bytes as f64 / f64::from(1 << 20));
    for attack in attacks::all() {
        let (procedure, action) = (attack.procedure, attack.action);
        let grown = growth::growth(arena.pid(), || {
            arena.end(arena.start(procedure, action));
        });
        let figure = Figure {
            name: &format!("growth of the host, `{action}` of `{procedure}`"),
            measured: mebibytes(grown),
            baseline: ("the limit of the guest", mebibytes(growth::LIMIT)),
            target: Target::AtMost(mebibytes(growth::GROWTH_MAX)),
        };
        figure.tell();
    }
}

fn neighbour(arena: &Arena) {
    let alone = neighbour_runs(arena);
    let attacked = attacked(arena, || neighbour_runs(arena));
    for (which, percent) in [("p50", 50), ("p99", 99), ("longest", 100)] {
        let (alone, attacked) = (alone.percentile(percent), attacked.percentile(percent));
        let target = match percent {
            99 => Target::AtMost(Quantity::Time(alone + LATER_MAX)),
            _ => Target::None,
        };
        let figure = Figure {
            name: &format!("a neighbour of attacks, every 50 ms, {which}"),
            measured: Quantity::Time(attacked),
            baseline: ("without attacks", Quantity::Time(alone)),
            target,
        };
        figure.tell();
    }
}

fn neighbour_runs(arena: &Arena) -> Samples {
    (0..NEIGHBOUR_RUNS)
        .map(|_| {
            let (_, took) = timed(|| arena.end(arena.start("neighbour", "nothing")));
            thread::sleep(EVERY.saturating_sub(took));
            took
        })
        .collect()
}

/// Does something while every attack is carried out again and again.
fn attacked<T>(arena: &Arena, work: impl FnOnce() -> T) -> T {
    let attacks: Vec<_> = attacks::all()
        .map(|attack| (attack.procedure, attack.action))
        .collect();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for first in 0..ATTACKERS {
            let (attacks, ended) = (&attacks, &ended);
            scope.spawn(move || {
                let start = first * attacks.len() / ATTACKERS;
                for (procedure, action) in attacks.iter().cycle().skip(start) {
                    if ended.load(Relaxed) {
                        return;
                    }
                    arena.end(arena.start(procedure, action));
                }
            });
        }
        let done = work();
        ended.store(true, Relaxed);
        done
    })
}
