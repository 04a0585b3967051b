//! The memory of the host under attack: a guest gets its limit, and the host no more than 16 MiB
//! on top of it.

use super::arena::Arena;
use super::attacks;
use super::growth::{GROWTH_MAX, growth};

#[test]
fn host_grows_by_no_more_than_the_limit_and_16_mebibytes() {
    let mut arena = Arena::new();
    arena.quiet();
    let growths = attacks::all().map(|attack| {
        let bytes = growth(arena.pid(), || {
            arena.end(arena.start(attack.procedure, attack.action));
        });
        (bytes, attack.action)
    });
    let growths: Vec<_> = growths.collect();
    println!("{growths:?}");
    let beyond: Vec<_> = growths.iter().filter(|(bytes, _)| *bytes > GROWTH_MAX).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
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
