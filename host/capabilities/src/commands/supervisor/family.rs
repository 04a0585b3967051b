//! A command and all that came of it: looked at, asked to end, ended.

use crate::commands::message::Exit;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group, waitid, waitpid,
};
use std::fs;

/// A command that was started, and the processes that this one became the parent of because their
/// own parents ended: daemons too.
pub(super) struct Family {
    head: Pid,
}

/// How a family is doing.
pub(super) struct Look {
    /// How the command itself ended.
    pub(super) exit: Option<Exit>,
    /// How many others there are, not counting the children of children.
    pub(super) others: usize,
}

impl Family {
    /// The family of a child of this process, which leads a process group.
    pub(super) fn of(head: Pid) -> Self {
        Self { head }
    }

    /// Takes leave of those that have ended. The command itself is left in the table of processes,
    /// so that nobody else is given its number while signals are sent to its group.
    pub(super) fn look(&self) -> Look {
        let others = children().into_iter().filter(|child| *child != self.head);
        let is_alive = |child: &Pid| !matches!(waitpid(Some(*child), WaitOptions::NOHANG), Ok(Some(_)));
        let others = others.filter(is_alive).count();
        Look {
            exit: self.exit(),
            others,
        }
    }

    /// Takes leave of the command itself, which has ended and to which no signal is sent any more.
    pub(super) fn part(self) {
        let _ = waitpid(Some(self.head), WaitOptions::NOHANG);
    }

    fn exit(&self) -> Option<Exit> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.head), options) {
            Ok(status) => {
                let status = status?;
                let code = status.exit_status().map(Exit::Code);
                code.or_else(|| status.terminating_signal().map(Exit::Signal))
            }
            // It is no child any more, which only a fault of this program can bring about.
            Err(_) => Some(Exit::Code(-1)),
        }
    }

    /// Asks all to end.
    pub(super) fn ask(&self) {
        self.signal(Signal::TERM);
        // One that is stopped hears of it only when it goes on.
        self.signal(Signal::CONT);
    }

    /// Ends all whose parent this process is. Their children get it as their parent and are met with
    /// the next call.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // Those who have ended meanwhile, and programs of other users, cannot be reached.
        let _ = kill_process_group(self.head, signal);
        for child in children() {
            let _ = kill_process(child, signal);
        }
    }
}

/// The processes whose parent this one is, also those that have ended.
fn children() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_pid();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = entries.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        (parent(&stat)? == own).then_some(pid).and_then(Pid::from_raw)
    });
    children.collect()
}

/// The parent in a line of `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where a name may hold
/// anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Whether there is such a process, or one that nobody took leave of.
#[cfg(test)]
fn exists(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_known_by_its_parent_whatever_its_name_is() {
        assert_eq!(parent("12 (a) S 7 1 1"), Some(7));
        assert_eq!(parent("12 (a) R 1 (b) S 7 1 1"), Some(7));
        assert_eq!(parent("12 (a"), None);
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg("read line")
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        assert!(children().contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children().contains(&pid));
        assert!(!exists(pid));
    }
}
