//! `kill -9` in the middle of a backup, at random points: nothing partial, no tick lost, every run ends.

use crate::place::{Clinic, Place, until};
use crate::procedures::{backup, exerciser};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

const UNFINISHED: [&str; 3] = ["queued", "running", "retry_wait"];
const EACH_SECOND: &str = "cron = \"* * * * * *\"\nseconds = true\n";

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
fn a_killed_host_leaves_no_partial_backup_no_lost_tick_and_no_run_without_an_end() {
    let seed = seed();
    println!("SOPWITH_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    clinic::seed(&place.path("app"), 24_000_000, seed, clinic::clock::now()).expect("a database");
    let clinic = Clinic::start(&place, 100, vec![]);
    write_procedures(&place, EACH_SECOND);

    let mut first = BTreeMap::new();
    for _ in 0..kills() {
        let mut service = place.serve();
        // The moment of the kill is what is random here; nothing waits for it to have passed.
        service.outlive(Duration::from_millis(random.random_range(0..1_500)));
        service.kill();
        assert_no_partial_backup(&place);
        assert!(place.good(&["audit", "verify"]).contains("holds"));
        assert_each_tick_once(&place, &mut first);
    }
    assert_eq!(first.len(), 2, "both schedules were taken up");
    miss_ticks(&place);
    let service = place.serve();
    until_one_waits(&place);
    service.kill();
    assert_each_tick_once(&place, &mut first);
    assert_ticks_were_missed(&place);
    let unfinished = unfinished(&place);
    println!("the last host finds runs in these states: {unfinished:?}");
    assert!(unfinished.contains_key("retry_wait"), "{unfinished:?}");
    // From here on nothing is due.
    write_procedures(&place, "cron = \"0 0 1 1 *\"\n");
    let service = place.serve();
    until("the end of every run", || {
        in_states(&place, &UNFINISHED).is_empty().then_some(())
    });
    assert_eq!(service.stop(), Some(0));
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    assert_kills_hit_runs(&place);
    clinic.stop();
}

/// Lets ticks go by without a host.
fn miss_ticks(place: &Place) {
    let back_at = clinic::clock::now() + SignedDuration::from_millis(2_500);
    until("ticks without a host", || {
        place.good(&["audit", "verify"]);
        (clinic::clock::now() > back_at).then_some(())
    });
}

fn assert_ticks_were_missed(place: &Place) {
    let missed = "SELECT count(*) FROM tick_range WHERE reason = 'downtime'";
    let missed: u64 = record(place)
        .query_row(missed, [], |row| row.get(0))
        .expect("a number");
    assert!(missed > 0, "no tick was missed");
}

/// Waits for a run whose next attempt is so far away that the host can be killed before it.
fn until_one_waits(place: &Place) {
    until("a run that waits for its next attempt", || {
        let soon = clinic::clock::now() + SignedDuration::from_secs(2);
        let waiting = in_states(place, &["retry_wait"]);
        let mut instants = waiting.iter().filter_map(|run| run["retry_at"].as_str());
        instants
            .any(|at| at.parse::<Timestamp>().expect("an instant") > soon)
            .then_some(())
    });
}

/// The runs in one of these states.
fn in_states(place: &Place, states: &[&str]) -> Vec<Value> {
    let states = states.iter().flat_map(|state| ["--state", state]);
    let arguments: Vec<&str> = ["runs"].into_iter().chain(states).collect();
    place.json(&arguments).as_array().expect("a list").clone()
}

/// A backup, and a procedure that fails once and is tried again, on such a schedule.
fn write_procedures(place: &Place, when: &str) {
    backup(
        place,
        "compress = \"zstd\"\nname = \"app-{YYYYMMDD}-{HHMMSS}.db\"\nkeep = { last = 5 }",
    );
    let text = std::fs::read_to_string(place.path("config/procedures/clinic-backup.toml")).expect("the file");
    let schedule = format!("[[schedule]]\naction = \"backup\"\n{when}\n[grants]");
    let text = text
        .replace("name = \"app-{YYYYMMDD}.db\"\n", "")
        .replace("[grants]", &schedule);
    place.write("config/procedures/clinic-backup.toml", text);
    exerciser(
        place,
        "second-try",
        &format!(
            "[retry]\nmax = 1\nbackoff = \"5s\"\non = [\"failed\", \"lost\"]\n\n\
             [[schedule]]\naction = \"steps\"\ninputs = {{ fail_at = 2, fail_until_attempt = 1 }}\n{when}"
        ),
    );
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

/// The record as it lies on the disk, past the host.
fn record(place: &Place) -> Connection {
    Connection::open(place.path("state/history.db")).expect("the record")
}

/// How many runs stand in which state that is no end.
fn unfinished(place: &Place) -> BTreeMap<String, u64> {
    let record = record(place);
    let mut select = record
        .prepare("SELECT state, count(*) FROM run GROUP BY state")
        .expect("a statement");
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    let mut states: BTreeMap<String, u64> = rows.collect::<Result<_, _>>().expect("rows");
    states.retain(|state, _| UNFINISHED.contains(&state.as_str()));
    states
}

/// Asserts of each schedule that every second from its first tick to its cursor is covered by one row.
///
/// `first` keeps the first tick of each, so that none of the first rows can go without notice.
fn assert_each_tick_once(place: &Place, first: &mut BTreeMap<String, i64>) {
    let record = record(place);
    let mut select = record
        .prepare("SELECT procedure, cursor FROM schedule")
        .expect("a statement");
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    let cursors: BTreeMap<String, String> = rows.collect::<Result<_, _>>().expect("rows");
    for (procedure, cursor) in cursors {
        let rows = covered(&record, &procedure);
        // A killed host may have come to know the schedule and not yet to claim a tick.
        let Some(begin) = rows.first().map(|row| *row.start()) else {
            continue;
        };
        let begin = *first.entry(procedure.clone()).or_insert(begin);
        let mut next = begin;
        for row in &rows {
            assert_eq!(
                *row.start(),
                next,
                "{procedure}: a tick is lost or covered twice: {rows:?}"
            );
            next = row.end() + 1;
        }
        assert_eq!(
            next,
            second(&cursor) + 1,
            "{procedure}: the cursor stands elsewhere: {rows:?}"
        );
    }
}

/// The seconds that each row of a schedule covers, in order.
fn covered(record: &Connection, procedure: &str) -> Vec<RangeInclusive<i64>> {
    let mut select = record
        .prepare(
            "SELECT nominal_at AS first, nominal_at, 1 FROM run WHERE procedure = ?1 AND nominal_at IS NOT NULL
             UNION ALL SELECT first, last, count FROM tick_range WHERE procedure = ?1 ORDER BY first",
        )
        .expect("a statement");
    let mut rows = select.query([procedure]).expect("rows");
    let mut covered = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        let (first, last): (String, String) = (row.get(0).expect("a text"), row.get(1).expect("a text"));
        let (row, count) = (
            second(&first)..=second(&last),
            row.get::<_, i64>(2).expect("a number"),
        );
        assert_eq!(row.end() - row.start() + 1, count, "{procedure}: {row:?}");
        covered.push(row);
    }
    covered
}

fn second(instant: &str) -> i64 {
    let instant: Timestamp = instant.parse().expect("an instant");
    assert_eq!(
        instant.subsec_nanosecond(),
        0,
        "a tick of this schedule is a whole second"
    );
    instant.as_second()
}

fn assert_kills_hit_runs(place: &Place) {
    let runs = place.json(&["runs", "clinic-backup", "--limit", "10000"]);
    let runs = runs.as_array().expect("a list");
    let cut_off = runs.iter().filter(|run| run["resumed"] != 0).count();
    println!(
        "{cut_off} of {} runs were cut off in the middle and went on",
        runs.len()
    );
    assert!(cut_off > 0, "no kill hit a run");
}
