//! The memory of the host under attack: a guest gets its limit, and the host no more than 16 MiB
//! on top of it.

use super::arena::Arena;
use std::fs;

const MIB: u64 = 1 << 20;
/// The limit of a guest, and what the host may take besides.
const GROWTH_MAX: u64 = (64 + 16) * MIB;

/// What takes memory: the guest's, and the host's on its behalf.
const ATTACKS: [(&str, &str); 11] = [("attacks", "n0"),("attacks", "n1"),("attacks", "n2"),("attacks", "n3"),("attacks", "n4"),("attacks", "n5"),("attacks", "n6"),("attacks", "n7"),("attacks", "n8"),("attacks", "n9"),("attacks", "n10"),];
#[test]
fn host_grows_by_no_more_than_the_limit_and_16_mebibytes() {
    let mut arena = Arena::new();
    arena.quiet();
    let mut told = Vec::new();
    for (procedure, action) in ATTACKS {
        let growth = growth(&arena, || {
            let run = arena.start(procedure, action);
            let run = arena.end(run);
            println!(
                "{action}: guest {} MiB {:?} {:?}",
                run.usage.map_or(0, |usage| usage.memory_bytes) / MIB,
                run.report.map(|r| (r.summary, r.output)),
                run.failure.map(|f| f.message)
            );
        });
        println!("  growth {}", growth / MIB);
        told.push((growth / MIB, action));
    }
    println!("MiB: {told:?}");
    let worst = told.iter().max().expect("attacks");
    assert!(worst.0 * MIB <= GROWTH_MAX, "{told:?}");
}

/// The most that the host's memory grew by at any time during this.
fn growth(arena: &Arena, work: impl FnOnce()) -> u64 {
    let pid = arena.pid();
    // Begins the count of the peak anew.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of ours");
    let before = status(pid, "VmRSS:");
    work();
    status(pid, "VmHWM:").saturating_sub(before)
}

fn status(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process of ours");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .expect(field);
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    kibibytes.expect("a number") << 10
}
