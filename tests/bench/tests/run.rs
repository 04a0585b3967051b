//! The script that makes the table: whoever reads its exit code hears of a target that is missed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

const MET: &str = "a walk\t10 ms\t0.50 ×\t≤ 20 ms\tyes\t20 ms a run";
const MISSED: &str = "a swim\t30 ms\t1.50 ×\t≤ 20 ms\tNO\t20 ms a run";
const BESIDE: &str = "a flight\t1 ms\t–\t–\t–\t20 ms a run";

/// The script, with a `cargo` that measured these rows.
fn run(name: &str, rows: &[&str]) -> Output {
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&programs).expect("a folder");
    let cargo = programs.join("cargo");
    let script = format!("#!/bin/sh\ncat <<'ROWS'\n{}\nROWS\n", rows.join("\n"));
    fs::write(&cargo, script).expect("a program");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").expect("a path");
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/run"))
        .env("PATH", format!("{}:{path}", programs.display()))
        .output()
        .expect("the script starts")
}

fn check(name: &str, rows: &[&str], code: i32, missed: &str) {
    let ended = run(name, rows);
    assert_eq!(ended.status.code(), Some(code), "{name}: {ended:?}");
    let table = String::from_utf8(ended.stdout).expect("text");
    for row in rows {
        let figure = row.split('\t').next().expect("a name");
        assert!(table.contains(figure), "{name}: {table}");
    }
    assert_eq!(String::from_utf8(ended.stderr).expect("text"), missed, "{name}");
}

#[test]
fn a_table_whose_targets_are_met_ends_well() {
    check("met", &[MET, BESIDE], 0, "");
}

#[test]
fn a_target_that_is_missed_is_named_behind_the_whole_table() {
    let missed = "\ntargets that are missed:\n  a swim: 30 ms, and the target is ≤ 20 ms\n";
    check("missed", &[MET, MISSED, BESIDE], 1, missed);
}
