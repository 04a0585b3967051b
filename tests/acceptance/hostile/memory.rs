//! The memory of the host under attack: a guest gets its limit, and the host no more than 16 MiB
//! on top of it.

use super::arena::Arena;
use super::growth::{ATTACKS, GROWTH_MAX, growth};

#[test]
fn host_grows_by_no_more_than_the_limit_and_16_mebibytes() {
    let mut arena = Arena::new();
    arena.quiet();
    let growths = ATTACKS.map(|(procedure, action)| {
        let bytes = growth(arena.pid(), || {
            arena.end(arena.start(procedure, action));
        });
        (bytes, action)
    });
    println!("{growths:?}");
    assert!(
        growths.iter().all(|(bytes, _)| *bytes <= GROWTH_MAX),
        "{growths:?}"
    );
}

#[test]
fn host_grows_by_no_more_than_that_for_each_of_several_attacks_at_once() {
    let mut arena = Arena::new();
    arena.quiet();
    let bytes = growth(arena.pid(), || {
        let actions = ["pipes", "long-state", "long-log", "long-names"].repeat(2);
        let runs: Vec<_> = actions
            .into_iter()
            .map(|action| arena.start("attacks", action))
            .collect();
        for run in runs {
            arena.end(run);
        }
    });
    assert!(bytes <= 8 * GROWTH_MAX, "{bytes} bytes");
}
