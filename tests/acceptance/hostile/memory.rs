//! The memory of the host under attack: a guest gets its limit, and the host no more than 16 MiB
//! on top of it.

use super::arena::Arena;
use std::fs;

const MIB: u64 = 1 << 20;
/// The limit of a guest, and what the host may take besides.
const GROWTH_MAX: u64 = (64 + 16) * MIB;

/// What takes memory: the guest's, and the host's on its behalf.
const ATTACKS: [(&str, &str); 25] = [
    ("attacks", "allocate"),
    ("memories", "go"),
    ("tables", "go"),
    ("attacks", "handles"),
    ("attacks", "pipes"),
    ("attacks", "streams"),
    ("attacks", "many-headers"),
    ("attacks", "bodies"),
    ("attacks", "long-log"),
    ("attacks", "long-names"),
    ("attacks", "long-attachment"),
    ("attacks", "long-state"),
    ("attacks", "long-statement"),
    ("attacks", "long-request"),
    ("attacks", "list"),
    ("attacks", "secrets"),
    ("attacks", "json-of-a-report"),
    ("attacks", "json-of-a-step"),
    ("attacks", "huge-rows"),
    ("attacks", "wide-row"),
    ("attacks", "spill"),
    ("floods", "unpermitted-prints"),
    ("floods", "logs"),
    ("floods", "findings"),
    ("floods", "attachments"),
];

#[test]
fn host_grows_by_no_more_than_the_limit_and_16_mebibytes() {
    let mut arena = Arena::new();
    arena.quiet();
    let growths = ATTACKS.map(|(procedure, action)| {
        let growth = growth(&arena, || {
            let run = arena.start(procedure, action);
            arena.end(run);
        });
        (growth / MIB, action)
    });
    println!("MiB: {growths:?}");
    assert!(
        growths.iter().all(|(growth, _)| growth * MIB <= GROWTH_MAX),
        "{growths:?}"
    );
}

#[test]
fn host_grows_by_no_more_than_that_for_each_of_several_attacks_at_once() {
    let mut arena = Arena::new();
    arena.quiet();
    let growth = growth(&arena, || {
        let runs = ["pipes", "long-state", "long-log", "long-names"].repeat(2);
        let runs: Vec<_> = runs
            .into_iter()
            .map(|action| arena.start("attacks", action))
            .collect();
        for run in runs {
            arena.end(run);
        }
    });
    assert!(growth <= 8 * GROWTH_MAX, "{} MiB", growth / MIB);
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
