//! A warm run is cheap: cheaper than any process.

use crate::guests::fixture;
use crate::stage::{POOLING, load, run};
use serde_json::json;
use sopwith_core::limits::Limits;
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;

const ROUNDS: usize = 200;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn warm_run_costs_less_than_a_process() {
    let plugin = load(POOLING, fixture("noop")).await;
    let mut runs = Vec::new();
    let mut processes = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let ended = run(&*plugin, "nothing", json!({}), Limits::default()).await;
        runs.push(began.elapsed());
        assert!(ended.result.is_ok(), "{ended:?}");
        let began = Instant::now();
        assert!(Command::new("/bin/true").status().expect("a process").success());
        processes.push(began.elapsed());
    }
    let (run, process) = (median(runs), median(processes));
    println!("warm run {run:?}, process {process:?}");
    assert!(
        run < process,
        "a warm run takes {run:?}, and a process {process:?}"
    );
}
