//! The bytes of a backup, against the programs that an operator would take for it.

use crate::place::{Clinic, Place};
use crate::procedures;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use std::process::Command;
use std::time::Duration;

const ROUNDS: usize = 7;
const DATABASE_BYTES: u64 = 250_000_000;
const WRITES_PER_SECOND: u32 = 1_000;

/// What an operator would do by hand, with the level of the plugin.
const BY_HAND: &str = "rm -f copy.db copy.db.zst && sqlite3 app/app.db \"VACUUM INTO 'copy.db'\" \
                       && zstd -q -3 copy.db && sha256sum copy.db.zst";
/// And how the result would be proved.
const PROVED_BY_HAND: &str = "zstd -q -d -f copy.db.zst -o proved.db && test \"$(sqlite3 proved.db 'PRAGMA \
                              integrity_check; PRAGMA foreign_key_check')\" = ok";

pub(crate) fn measure() {
    let place = Place::new();
    let seeded = clinic::seed(&place.path("app"), DATABASE_BYTES, 8, clinic::clock::now());
    seeded.expect("a database");
    procedures::backup(&place, "compress = \"zstd\"");
    let clinic = Clinic::start(&place, WRITES_PER_SECOND, Vec::new());
    clinic.written(u64::from(WRITES_PER_SECOND));
    let (mut bytes, mut proof, mut by_hand, mut proved_by_hand) =
        <(Samples, Samples, Samples, Samples)>::default();
    for round in 0..=ROUNDS {
        place.good(&["run", "clinic-backup"]);
        let record = place.good(&["logs", "clinic-backup", "--json"]);
        let others = [BY_HAND, PROVED_BY_HAND].map(|script| shell(&place, script));
        // The first round fills the caches.
        if round > 0 {
            bytes.add(step(&record, "snapshot"));
            proof.add(step(&record, "verify"));
            by_hand.add(others[0]);
            proved_by_hand.add(others[1]);
        }
    }
    clinic.stop();
    let figure = Figure {
        name: "bytes of a backup of 250 MB, 1,000 writes/s",
        measured: Quantity::Time(bytes.median()),
        baseline: ("sqlite3, zstd, sha256sum", Quantity::Time(by_hand.median())),
        target: Target::TimesBaseline(0.8),
    };
    figure.tell();
    let figure = Figure {
        name: "its verification",
        measured: Quantity::Time(proof.median()),
        baseline: (
            "zstd -d, integrity_check, foreign_key_check",
            Quantity::Time(proved_by_hand.median()),
        ),
        target: Target::None,
    };
    figure.tell();
}

fn shell(place: &Place, script: &str) -> Duration {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(place.path(""));
    let (output, time) = timed(|| command.output());
    let output = output.expect("a shell");
    assert!(output.status.success(), "{output:?}");
    time
}

/// How long a step took, as the record of the run says.
fn step(record: &str, name: &str) -> Duration {
    let lines = record
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let of_step: Vec<Value> = lines.filter(|line: &Value| line["name"] == name).collect();
    let at = |note: &str| -> Timestamp {
        let line = of_step.iter().find(|line| line["note"] == note);
        let line = line.unwrap_or_else(|| panic!("`{name}` has no `{note}`:\n{record}"));
        line["at"].as_str().expect("a time").parse().expect("a time")
    };
    let elapsed = at("step_finished").duration_since(at("step_began"));
    elapsed.unsigned_abs()
}
