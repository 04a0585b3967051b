//! The binary as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use clinic::inspection::{Violations, inspect};
use clinic::{Places, schema};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn clinic(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clinic"));
    command.arg("--directory").arg(directory).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Reads the line that says where the process listens.
fn address(process: &mut Child) -> String {
    let mut line = String::new();
    let stdout = process.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    line.trim_end().strip_prefix("listening on ").unwrap().to_owned()
}

fn end(process: Child, signal: Signal) -> Output {
    kill_process(Pid::from_child(&process), signal).unwrap();
    process.wait_with_output().unwrap()
}

async fn check_clean_stop(signal: Signal) {
    let directory = TempDir::new().unwrap();
    let mut process = clinic(directory.path(), &["--writes-per-second", "1000"])
        .spawn()
        .unwrap();
    let address = address(&mut process);
    let health = reqwest::get(format!("{address}/health/ready")).await.unwrap();
    assert_eq!(health.status(), 200);

    let output = end(process, signal);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let places = Places::within(directory.path());
    // The last connection removed the log, so every one was closed.
    assert!(!directory.path().join("app.db-wal").exists());
    assert_eq!(inspect(&places).unwrap(), Violations::default());
    let database = schema::open(&places.database).unwrap();
    let integrity: String = database
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

#[tokio::test]
async fn process_stops_cleanly_when_it_is_terminated() {
    check_clean_stop(Signal::TERM).await;
}

#[tokio::test]
async fn process_stops_cleanly_when_it_is_interrupted() {
    check_clean_stop(Signal::INT).await;
}

#[test]
fn process_starts_broken_when_it_is_told_to() {
    let directory = TempDir::new().unwrap();
    let arguments = [
        "--writes-per-second",
        "0",
        "--break",
        "balance",
        "--break",
        "patients",
    ];
    let mut process = clinic(directory.path(), &arguments).spawn().unwrap();
    address(&mut process);
    end(process, Signal::TERM);
    let expected = Violations {
        unbalanced_entries: 1,
        duplicate_record_numbers: 1,
        ..Violations::default()
    };
    assert_eq!(inspect(&Places::within(directory.path())).unwrap(), expected);
}

#[test]
fn process_says_why_it_cannot_start() {
    let directory = TempDir::new().unwrap();
    std::fs::write(
        directory.path().join("app.db"),
        "this is no database, however long it is",
    )
    .unwrap();
    let output = clinic(directory.path(), &[]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("file is not a database"), "{message}");
}
