//! The service with a hundred procedures: its start, its memory, and a change of a file.

use crate::place::Place;
use serde_json::Value;
use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use std::time::Duration;

const PROCEDURES: usize = 100;
const STARTS: usize = 15;
const CHANGES: usize = 200;
/// How long a service has nothing to do before its memory is looked at.
const IDLE: Duration = Duration::from_secs(5);

pub(crate) fn measure() {
    let (place, empty) = (Place::new(), Place::new());
    for number in 0..PROCEDURES {
        write(&place, number, 0);
    }
    // The first start compiles the plugins.
    for place in [&place, &empty] {
        place.serve().stop();
    }
    let start = start(&place);
    change(&place, start);
    memory(&place, &empty);
}

/// Every fourth procedure smokes, checks, backs up or tests nothing but the host.
fn write(place: &Place, number: usize, change: usize) {
    let rest = match number % 4 {
        0 => {
            "plugin = \"backup\"\n[grants]\ndatabases = { app = \"read\" }\ndirectories = { backups = \"write\" }\n[settings]\ndatabase = \"app\"\nto = \"backups\"\n"
        }
        1 => {
            "plugin = \"integrity\"\n[grants]\ndatabases = { app = \"read\" }\n[settings]\ndatabase = \"app\"\n[[settings.checks]]\nname = \"none\"\nseverity = \"low\"\nquery = \"SELECT 1 WHERE 0\"\n"
        }
        _ => "plugin = \"noop\"\n",
    };
    let (plugin, rest) = rest.split_once('\n').expect("more than one line");
    let text = format!(
        "summary = \"Number {number}, changed {change} times\"\n{plugin}\n[[schedule]]\ncron = \"0 4 1 1 *\"\n{rest}"
    );
    if number == 2 && change == 0 {
        place.drop_in("noop", "noop");
    }
    place.write(&format!("config/procedures/number-{number}.toml"), text);
}

fn start(place: &Place) -> Duration {
    let (mut ready, mut bare) = <(Samples, Samples)>::default();
    for _ in 0..STARTS {
        let (service, time) = timed(|| place.serve());
        ready.add(time);
        service.stop();
        bare.add(timed(|| place.good(&["--version"])).1);
    }
    let figure = Figure {
        name: "start to ready, 100 procedures",
        measured: Quantity::Time(ready.median()),
        baseline: ("sopwith --version", Quantity::Time(bare.median())),
        target: Target::AtMost(Quantity::Time(Duration::from_millis(500))),
    };
    figure.tell();
    ready.median()
}

fn change(place: &Place, restart: Duration) {
    let mut service = place.serve();
    let mut times = Samples::default();
    for change in 1..=CHANGES {
        let ((), time) = timed(|| {
            write(place, change % PROCEDURES, change);
            service.wait_for("is in force");
        });
        times.add(time);
    }
    service.stop();
    let limit = Target::AtMost(Quantity::Time(Duration::from_millis(250)));
    let rows = [
        ("change of a file to its being active, p50", 50, Target::None),
        ("change of a file to its being active, p99", 99, limit),
    ];
    for (name, percent, target) in rows {
        let figure = Figure {
            name,
            measured: Quantity::Time(times.percentile(percent)),
            baseline: ("a restart", Quantity::Time(restart)),
            target,
        };
        figure.tell();
    }
}

fn memory(place: &Place, empty: &Place) {
    let figure = Figure {
        name: "idle memory, 100 procedures",
        measured: idle_memory(place),
        baseline: ("without procedures", idle_memory(empty)),
        target: Target::AtMost(Quantity::Mebibytes(60.0)),
    };
    figure.tell();
}

fn idle_memory(place: &Place) -> Quantity {
    let mut service = place.serve();
    service.outlive(IDLE);
    let lock = std::fs::read(place.path("state/lock")).expect("the lock of the host");
    let holder: Value = serde_json::from_slice(&lock).expect("JSON");
    let status = std::fs::read_to_string(format!("/proc/{}/status", holder["pid"])).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u32>().ok());
    service.stop();
    Quantity::Mebibytes(f64::from(kibibytes.expect("its memory")) / 1024.0)
}
