//! A day of many procedures, simulated, and how late ticks of one instant start: `just bench day`.

#[expect(dead_code, unused_imports, reason = "a benchmark needs less than the tests")]
#[path = "../tests/support/mod.rs"]
mod support;

use sopwith_bench::{Figure, Machine, Quantity, Target};
use sopwith_core::schedule::CatchUp;
use std::time::{Duration, Instant};
use support::{World, scheduled};

const PROCEDURES: u32 = 1_000;
const DAY: Duration = Duration::from_hours(24);
const PLACES: u32 = 64;
/// One every five minutes.
const RUNS_OF_EACH: u32 = 288;

fn main() {
    if !sopwith_bench::wanted("day") {
        return;
    }
    let procedures = (0..PROCEDURES).map(|number| {
        let line = "*/5 * * * *";
        scheduled(&format!("p{number}"), "check", line, CatchUp::Latest)
    });
    let procedures: Vec<_> = procedures.collect();
    let mut world = World::new([]);
    world.edit(procedures, PLACES, None);
    let host = world.start();
    let begun = Instant::now();
    host.advance(DAY);
    let took = begun.elapsed();
    eprintln!("{took:?} {}", world.stage.seen().len());
    host.kill();
}
