//! What a call costs that changes something: its intent is durable before it acts.

use crate::place::Place;
use crate::plain::Plain;
use crate::procedures::exerciser;
use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use sopwith_cli::host::Host;
use sopwith_core::port::operations::Submission;
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const AT_ONCE: usize = 16;
/// Changes of one run.
const CHANGES: u32 = 200;
/// About what one line of a record takes.
const LINE_BYTES: usize = 200;

pub(crate) fn measure() {
    let place = place();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let host = runtime.block_on(Host::start_service(&place.path("config")));
    let host = Arc::new(host.expect("a host"));
    let plain = Plain::new(&place, LINE_BYTES);
    let (mut alone, mut busy, mut commits) = <(Samples, Samples, Samples)>::default();
    for round in 0..=ROUNDS {
        let by_itself = runtime.block_on(changes(&host));
        let together = runtime.block_on(all(&host));
        let written = (0..CHANGES).map(|_| timed(|| plain.commit(1)).1);
        // The first round warms everything up.
        if round > 0 {
            alone.extend(by_itself);
            busy.extend(together);
            commits.extend(written);
        }
    }
    runtime.block_on(host.close());
    tell("a change with its intent on record, alone", &alone, &commits);
    tell("the same, 16 runs at once", &busy, &commits);
}

fn tell(what: &str, changes: &Samples, commits: &Samples) {
    for percent in [50, 99] {
        let figure = Figure {
            name: &format!("{what}, p{percent}"),
            measured: Quantity::Time(changes.percentile(percent)),
            baseline: (
                "one commit of plain SQLite",
                Quantity::Time(commits.percentile(percent)),
            ),
            target: Target::None,
        };
        figure.tell();
    }
}

fn place() -> Place {
    let place = Place::new();
    let host_file = fs::read_to_string(place.path("config/sopwith.toml")).expect("the file");
    place.write(
        "config/sopwith.toml",
        host_file.replace("[host]\n", "[host]\nruns_at_once_max = 16\n"),
    );
    fs::create_dir(place.path("data")).expect("a folder");
    fs::write(place.path("data/file"), "content").expect("a file");
    place.add_to_host("[directories.data]\npath = \"../data\"\n");
    exerciser(
        &place,
        "change",
        "action = \"changes\"\n[grants]\ndirectories = { data = \"write\" }\n\n[settings]\ndirectory = \"data\"\n",
    );
    place
}

async fn all(host: &Arc<Host>) -> Vec<Duration> {
    let mut runs = JoinSet::new();
    for _ in 0..AT_ONCE {
        let host = Arc::clone(host);
        runs.spawn(async move { changes(&host).await });
    }
    runs.join_all().await.concat()
}

/// One run: how long each of its changes took, as its plugin saw it.
async fn changes(host: &Host) -> Vec<Duration> {
    let host = host.operations();
    let submission = Submission {
        procedure: "change".parse().expect("a name"),
        action: None,
        inputs: serde_json::json!({ "times": CHANGES }),
        dry_run: false,
        even_paused: false,
    };
    let run = host.submit(submission).await.expect("a run");
    let run = host.wait(run.id()).await.expect("an end");
    let report = run.report.expect("a success");
    let took = report.output.as_array().expect("a list").iter();
    took.map(|time| Duration::from_micros(time.as_u64().expect("microseconds")))
        .collect()
}
