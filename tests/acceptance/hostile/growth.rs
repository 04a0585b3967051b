//! How much memory the host came to hold, and each process that it started.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const MIB: u64 = 1 << 20;
/// The limit of a guest.
pub(crate) const LIMIT: u64 = 64 * MIB;
/// The same with what the host may take besides.
pub(crate) const GROWTH_MAX: u64 = LIMIT + 16 * MIB;

/// The most that the host, or a process of a session that it started, grew by at any time during
/// this, in bytes. A process is an addition to the host from its first page on, but for what it
/// shares with the host: the program.
pub(crate) fn growth(pid: u32, work: impl FnOnce()) -> u64 {
    // Begins the count of the peak anew.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of ours");
    let resident = |field| status(pid, field).expect("a process of ours");
    let before = resident("VmRSS:");
    let ended = AtomicBool::new(false);
    let started = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, &ended));
        work();
        ended.store(true, Relaxed);
        watch.join().expect("it looks on")
    });
    resident("VmHWM:").saturating_sub(before).max(started)
}

/// Looks at all that a process started, again and again: the most that one of them had to itself.
fn watch(pid: u32, ended: &AtomicBool) -> u64 {
    let mut most = 0;
    while !ended.load(Relaxed) {
        let own = descendants(pid)
            .into_iter()
            .filter_map(|started| own(pid, started));
        most = own.fold(most, u64::max);
        thread::yield_now();
    }
    most
}

/// The most that a process has had to itself so far; none as long as it is still a copy of the host,
/// and once it has ended.
fn own(host: u32, pid: u32) -> Option<u64> {
    let line = |pid| fs::read(format!("/proc/{pid}/cmdline")).ok();
    if line(pid)? == line(host)? {
        return None;
    }
    let peak = status(pid, "VmHWM:")?;
    Some(peak.saturating_sub(status(pid, "RssFile:")?))
}

fn descendants(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parents: BTreeMap<u32, u32> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let descends = |child: &u32| {
        let ancestors = std::iter::successors(parents.get(child), |parent| parents.get(parent));
        ancestors.take(parents.len()).any(|ancestor| *ancestor == pid)
    };
    parents.keys().copied().filter(descends).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// A field of the status of a process, in bytes; none once it has ended.
fn status(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    Some(kibibytes.ok()? << 10)
}
