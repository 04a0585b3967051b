//! What takes memory, and how much of it the host came to hold.

use std::fs;

const MIB: u64 = 1 << 20;
/// The limit of a guest.
pub(crate) const LIMIT: u64 = 64 * MIB;
/// The same with what the host may take besides.
pub(crate) const GROWTH_MAX: u64 = LIMIT + 16 * MIB;

/// What takes memory: the guest's own, and the host's on its behalf.
pub(crate) const ATTACKS: [(&str, &str); 25] = [
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

/// The most that the memory of a process grew by at any time during this, in bytes.
pub(crate) fn growth(pid: u32, work: impl FnOnce()) -> u64 {
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
