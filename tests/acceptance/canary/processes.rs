//! What other processes can see of secrets: command lines, environments, the host's own memory.

use super::cage::Cage;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::getuid;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// `nobody`
const NOBODY: u32 = 65_534;

#[test]
fn a_canary_is_in_the_environment_of_the_command_it_is_for_and_of_no_other_process() {
    let cage = Cage::new();
    let gate = cage.place.path("gate");
    mknodat(CWD, &gate, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
    let service = cage.serve();
    cage.run(&["run", "waiting", "repeat", "--detach"]);
    // Opens when the command reads, and so runs.
    let mut opened = OpenOptions::new().write(true).open(gate).expect("the pipe");
    let waiting = cage.place.path("programs/wait").display().to_string();
    let mut commands = 0;
    for (pid, line, environment) in processes() {
        cage.check_silent(&format!("the command line of process {pid}"), &line);
        let is_its_own =
            String::from_utf8_lossy(&line).contains(&waiting) && !line.starts_with(b"/proc/self/exe");
        if is_its_own {
            commands += 1;
            let names = cage
                .search
                .in_bytes(&environment)
                .into_iter()
                .map(|needle| needle.name);
            let names: BTreeSet<_> = names.collect();
            assert_eq!(names.len(), cage.canaries.len(), "process {pid}");
        } else if pid != service.pid() {
            cage.check_silent(
                &format!(
                    "the environment of process {pid}: {}",
                    String::from_utf8_lossy(&line)
                ),
                &environment,
            );
        }
    }
    assert_eq!(commands, 1);
    opened.write_all(b"go on\n").expect("it reads");
    drop(opened);
    service.stop();
}

/// Every process that can be looked at: its number, command line and environment.
fn processes() -> Vec<(u32, Vec<u8>, Vec<u8>)> {
    let listed = fs::read_dir("/proc").expect("the processes");
    let pids = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let looked = pids.filter_map(|pid: u32| {
        let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).ok();
        Some((pid, read("cmdline")?, read("environ").unwrap_or_default()))
    });
    looked.filter(|(pid, ..)| *pid != std::process::id()).collect()
}

#[test]
fn nobody_but_root_looks_into_the_memory_of_a_host_and_none_is_left_behind() {
    let cage = Cage::new();
    let program = cage.place.path("sopwith");
    fs::copy(env!("CARGO_BIN_EXE_sopwith"), &program).expect("the program");
    let mut command = Command::new(program);
    command.args(["serve"]);
    // Root looks into everything, so that the host is somebody else.
    if getuid().is_root() {
        give_away(&cage.place.path("."));
        command.uid(NOBODY);
    }
    let service = cage.serve_by(command);
    let pid = service.pid();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let words: Vec<_> = core.expect("a limit").split_whitespace().collect();
    assert_eq!(words, ["Max", "core", "file", "size", "0", "0", "bytes"]);
    // The kernel gives what belongs to a process that may not be dumped to root.
    for secret in ["environ", "mem", "maps", "stack"] {
        let owner = fs::metadata(format!("/proc/{pid}/{secret}"))
            .expect("it is there")
            .uid();
        assert_eq!(owner, 0, "{secret}");
    }
    // What it starts of itself starts nevertheless.
    let run = String::from_utf8_lossy(&cage.run(&["run", "parrot", "repeat", "--json"])).into_owned();
    assert!(
        run.contains("\"outcome\": \"succeeded\"") || run.contains("succeeded"),
        "{run}"
    );
    for call in ["sql.query", "commands.run print"] {
        assert!(run.contains(call), "{run}");
    }
    service.stop();
}

fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), None).expect("root may");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            give_away(&path);
        } else {
            chown(&path, Some(NOBODY), None).expect("root may");
        }
    }
}
