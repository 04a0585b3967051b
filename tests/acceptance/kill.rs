//! `kill -9` in the middle of a backup, at random points.

use crate::place::{Clinic, Place, until};
use crate::procedures::backup;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::time::Duration;

/// How often the host is killed: a hundred times in `just soak`.
fn kills() -> u32 {
    if std::env::var("SOPWITH_TEST_TIER").as_deref() == Ok("soak") {
        100
    } else {
        15
    }
}

/// The seed of the day, or the one in `SOPWITH_TEST_SEED`.
fn seed() -> u64 {
    let given = std::env::var("SOPWITH_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    #[expect(clippy::disallowed_methods, reason = "the seed of the day")]
    let today = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() / 86_400)
    };
    given.unwrap_or_else(today)
}

#[test]
fn a_killed_host_leaves_no_partial_backup_and_no_run_behind() {
    let seed = seed();
    println!("SOPWITH_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    clinic::seed(&place.path("app"), 24_000_000, seed, clinic::clock::now()).expect("a database");
    let clinic = Clinic::start(&place, 100, vec![]);
    backup(
        &place,
        "compress = \"zstd\"\nname = \"app-{YYYYMMDD}-{HHMMSS}.db\"\nkeep = { last = 5 }",
    );
    let text = std::fs::read_to_string(place.path("config/procedures/clinic-backup.toml")).expect("the file");
    let scheduled = text.replace("name = \"app-{YYYYMMDD}.db\"\n", "").replace(
        "[grants]",
        "[[schedule]]\naction = \"backup\"\ncron = \"* * * * * *\"\nseconds = true\n\n[grants]",
    );
    place.write("config/procedures/clinic-backup.toml", scheduled);

    for _ in 0..kills() {
        let mut service = place.serve();
        // The moment of the kill is what is random here; nothing waits for it to have passed.
        service.outlive(Duration::from_millis(random.random_range(0..1_500)));
        service.kill();
        assert_no_partial_backup(&place);
        assert!(place.good(&["audit", "verify"]).contains("holds"));
    }

    let service = place.serve();
    until("the end of every run", || {
        let unfinished = place.json(&[
            "runs", "--state", "running", "--state", "queued", "--limit", "1000",
        ]);
        // A new one may have been queued in this second; one that was cut off is older.
        unfinished
            .as_array()
            .expect("a list")
            .iter()
            .all(|run| run["resumed"] == 0)
            .then_some(())
    });
    assert_eq!(service.stop(), Some(0));
    assert_each_tick_once(&place);
    clinic.stop();
}

fn assert_no_partial_backup(place: &Place) {
    for entry in std::fs::read_dir(place.path("backups")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        if path.extension().is_some_and(|extension| extension == "zst") && !name.starts_with('.') {
            let file = std::fs::File::open(&path).expect("the backup");
            let whole = zstd::stream::copy_decode(file, std::io::sink());
            assert!(whole.is_ok(), "{name} is not whole: {whole:?}");
        }
    }
}

fn assert_each_tick_once(place: &Place) {
    let runs = place.json(&["runs", "clinic-backup", "--limit", "10000"]);
    let mut ticks: Vec<&Value> = runs
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| &run["trigger"]["nominal_at"])
        .collect();
    let all = ticks.len();
    ticks.sort_by_key(ToString::to_string);
    ticks.dedup();
    assert_eq!(ticks.len(), all, "a tick ran twice");
    let cut_off = runs
        .as_array()
        .expect("a list")
        .iter()
        .filter(|run| run["resumed"] != 0)
        .count();
    println!("{cut_off} of {all} runs were cut off in the middle and went on");
    assert!(cut_off > 0, "no kill hit a run");
}
