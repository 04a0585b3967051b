//! A day of many procedures, simulated, and how late ticks of one instant start: `just bench day`.

#[expect(dead_code, unused_imports, reason = "a benchmark needs less than the tests")]
#[path = "../tests/support/mod.rs"]
mod support;

use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use sopwith_core::schedule::CatchUp;
use std::time::Duration;
use support::{Host, World, scheduled};

const PROCEDURES: u32 = 1_000;
const APART: Duration = Duration::from_mins(5);
const TICKS: u32 = 24 * 12;
/// As an operator of so many procedures would set it.
const PLACES: u32 = 64;

fn main() {
    if !sopwith_bench::wanted("day") {
        return;
    }
    let mut world = World::new([]);
    let procedures: Vec<_> = (0..PROCEDURES)
        .map(|number| {
            let name = format!("p{number}");
            scheduled(&name, "check", "*/5 * * * *", CatchUp::Latest)
        })
        .collect();
    world.edit(procedures, PLACES, None);
    let host = world.start();
    let (each, day) = timed(|| (0..TICKS).map(|_| one_tick(&host)).collect::<Samples>());
    let runs = world.stage.seen().len();
    assert_eq!(runs, (PROCEDURES * TICKS) as usize, "each tick has its run");
    tell(
        "a day of 288,000 runs, simulated",
        day,
        &each,
        Duration::from_mins(1),
    );
    // From the instant until the last of them has ended, which no start is later than.
    let late = each.percentile(99);
    tell(
        "1,000 ticks of one instant, all ended, p99",
        late,
        &each,
        Duration::from_secs(1),
    );
    host.kill();
}

/// Lets all tick once, and come to their ends.
fn one_tick(host: &Host) -> Duration {
    timed(|| host.advance(APART)).1
}

fn tell(name: &str, measured: Duration, each: &Samples, at_most: Duration) {
    let figure = Figure {
        name,
        measured: Quantity::Time(measured),
        baseline: ("the median of one tick of all", Quantity::Time(each.median())),
        target: Target::AtMost(Quantity::Time(at_most)),
    };
    figure.tell();
}
