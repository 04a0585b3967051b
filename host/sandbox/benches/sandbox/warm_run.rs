//! A warm run that does nothing, against plain wasmtime and against a process that does nothing.

use crate::built;
use crate::no_capabilities::NoCapabilities;
use crate::plain::Plain;
use serde_json::json;
use sopwith_bench::{Figure, Machine, Quantity, Samples, Target};
use sopwith_core::limits::Limits;
use sopwith_core::port::{Bounds, Call, Clock as _, Plugin, PluginLoader as _};
use sopwith_sandbox::{Allocation, Sandbox, Settings};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Each is measured in blocks, so that it is warm, and the blocks take turns.
const BLOCKS: usize = 40;
const RUNS: usize = 100;
const PROCESSES: usize = 10;
/// The first runs of a block find the caches full of something else.
const UNCOUNTED: usize = 10;

pub(crate) async fn measure() {
    let clock = Machine::default();
    let sandbox = sandbox();
    let plugin = sandbox.load(built("noop")).await.expect("a plugin");
    let plain = Plain::load(&built("noop"));
    let (mut ours, mut theirs, mut processes) = <(Samples, Samples, Samples)>::default();
    for _ in 0..BLOCKS {
        for turn in 0..RUNS {
            let began = clock.monotonic();
            run(&*plugin).await;
            add(&mut ours, turn, clock.monotonic().saturating_sub(began));
        }
        for turn in 0..RUNS {
            let began = clock.monotonic();
            plain.run().await;
            add(&mut theirs, turn, clock.monotonic().saturating_sub(began));
        }
        for _ in 0..PROCESSES {
            let began = clock.monotonic();
            let status = Command::new("/bin/true").status().expect("a process");
            processes.add(clock.monotonic().saturating_sub(began));
            assert!(status.success());
        }
    }
    tell("warm run in the sandbox", &ours, ("plain wasmtime", &theirs), 1.5);
    tell(
        "warm run in the sandbox",
        &ours,
        ("/bin/true", &processes),
        1.0 / 3.0,
    );
}

fn add(samples: &mut Samples, turn: usize, time: Duration) {
    if turn >= UNCOUNTED {
        samples.add(time);
    }
}

fn tell(name: &str, measured: &Samples, (of, baseline): (&str, &Samples), times: f64) {
    let figure = Figure {
        name,
        measured: Quantity::Time(measured.median()),
        baseline: (of, Quantity::Time(baseline.median())),
        target: Target::TimesBaseline(times),
    };
    figure.tell();
}

fn sandbox() -> Sandbox {
    let machine = Arc::new(Machine::default());
    let settings = Settings {
        cache: None,
        allocation: Allocation::Pooling { runs_at_once_max: 16 },
        clock: machine.clone(),
        entropy: machine,
    };
    Sandbox::new(settings).expect("a sandbox")
}

async fn run(plugin: &dyn Plugin) {
    let call = Call {
        action: "nothing".parse().expect("a name"),
        settings: json!({}),
        inputs: json!({}),
    };
    let bounds = Bounds {
        limits: Limits::default(),
        cancel: CancellationToken::new(),
    };
    let ended = plugin
        .run(call, Arc::new(NoCapabilities::default()), bounds)
        .await;
    assert!(ended.result.is_ok(), "{ended:?}");
}
