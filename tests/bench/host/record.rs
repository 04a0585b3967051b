//! Runs with their whole record: how many a second, and how soon the plugin's first instruction.

use crate::place::Place;
use crate::plain::Plain;
use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use sopwith_cli::host::Host;
use sopwith_core::port::operations::{Operations, Submission};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const AT_ONCE: usize = 16;
/// Runs of one of those at once, in one round.
const RUNS: usize = 250;
/// What every run puts on the disk one after another: it is queued, it starts, it ends.
const COMMITS: u32 = 3;
/// Runs of the baseline in one round; each is as good as the other.
const PLAIN_RUNS: usize = 300;
/// About what the row and the audit entry of one event take.
const EVENT_BYTES: usize = 1_500;

pub(crate) fn measure() {
    let place = Place::new();
    place.add_to_host("[limits]\n");
    let host_file = std::fs::read_to_string(place.path("config/sopwith.toml")).expect("the file");
    place.write(
        "config/sopwith.toml",
        host_file.replace("[host]\n", "[host]\nruns_at_once_max = 16\n"),
    );
    place.drop_in("noop", "noop");
    place.write(
        "config/procedures/clock.toml",
        "summary = \"Says when it began\"\nplugin = \"noop\"\naction = \"clock\"\n",
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let host = runtime.block_on(Host::start_service(&place.path("config")));
    let host = Arc::new(host.expect("a host"));
    let plain = Plain::new(&place, EVENT_BYTES);
    let (mut rates, mut plain_rates) = (Vec::new(), Vec::new());
    let (mut busy, mut idle, mut commits) = <(Samples, Samples, Samples)>::default();
    for round in 0..=ROUNDS {
        let (latencies, time) = timed(|| runtime.block_on(all(&host)));
        let (alone, _) = timed(|| runtime.block_on(some(host.operations(), RUNS)));
        let written: Vec<_> = (0..PLAIN_RUNS)
            .map(|_| timed(|| plain.commit(COMMITS)).1)
            .collect();
        // The first round warms everything up.
        if round > 0 {
            rates.push(rate(latencies.len(), time));
            busy.extend(latencies);
            idle.extend(alone);
            plain_rates.push(rate(PLAIN_RUNS, written.iter().sum()));
            commits.extend(written.iter().map(|run| *run / COMMITS));
        }
    }
    runtime.block_on(host.close());
    tell(&mut rates, &mut plain_rates, &busy, &idle, &commits);
}

fn tell(rates: &mut [f64], plain: &mut [f64], busy: &Samples, idle: &Samples, commit: &Samples) {
    let throughput = Figure {
        name: "runs with their record, 16 at once",
        measured: Quantity::Rate(median(rates)),
        baseline: ("plain SQLite, 3 commits a run", Quantity::Rate(median(plain))),
        target: Target::AtLeast(Quantity::Rate(2_000.0)),
    };
    throughput.tell();
    let target = Target::AtMost(Quantity::Time(Duration::from_millis(5)));
    let rows = [
        ("trigger to first instruction, 16 at once, p50", busy, 50, target),
        ("trigger to first instruction, 16 at once, p99", busy, 99, target),
        ("trigger to first instruction, alone, p50", idle, 50, target),
        ("trigger to first instruction, alone, p99", idle, 99, target),
    ];
    for (name, samples, percent, target) in rows {
        let figure = Figure {
            name,
            measured: Quantity::Time(samples.percentile(percent)),
            baseline: (
                "one commit of plain SQLite",
                Quantity::Time(commit.percentile(percent)),
            ),
            target,
        };
        figure.tell();
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn rate(runs: usize, time: Duration) -> f64 {
    runs as f64 / time.as_secs_f64()
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Sixteen people who each start a run when their last one has ended.
async fn all(host: &Arc<Host>) -> Vec<Duration> {
    let mut people = JoinSet::new();
    for _ in 0..AT_ONCE {
        let host = Arc::clone(host);
        people.spawn(async move { some(host.operations(), RUNS).await });
    }
    people.join_all().await.concat()
}

async fn some(host: &dyn Operations, runs: usize) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(runs);
    for _ in 0..runs {
        latencies.push(one(host).await);
    }
    latencies
}

/// Starts a run, waits for its end, and says how long its first instruction took to come.
async fn one(host: &dyn Operations) -> Duration {
    let triggered_at = clinic::clock::now();
    let submission = Submission {
        procedure: "clock".parse().expect("a name"),
        action: None,
        inputs: serde_json::json!({}),
        dry_run: false,
        even_paused: false,
    };
    let run = host.submit(submission).await.expect("a run");
    let run = host.wait(run.id()).await.expect("an end");
    let report = run.report.expect("a success");
    let began = report.output.as_i64().expect("microseconds");
    let microseconds = began - triggered_at.as_microsecond();
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}
