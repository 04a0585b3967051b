//! Questions to a history of a million runs, and how long writers wait while it is pruned: `just bench history`.

#[expect(dead_code, unused_imports, reason = "a benchmark needs less than the tests")]
#[path = "../tests/support/mod.rs"]
mod support;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use sopwith_bench::{Figure, Machine, Quantity, Samples, Target, timed};
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::operations::Operations as _;
use sopwith_core::port::{Clock as _, Portion, Pruning as _, RunFilter, Store as _};
use sopwith_core::run::{Run, RunId, RunState, Verdict};
use sopwith_core::schedule::CatchUp;
use sopwith_store::SqliteStore;
use std::path::Path;
use std::time::Duration;
use support::{Host, World, scheduled};

const PROCEDURES: u32 = 20;
const RUNS_OF_EACH: u32 = 50_000;
const PRUNED_OF_EACH: u32 = 5_000;
/// Lines of the record of each run.
const LINES: usize = 6;
/// How far apart the runs of a procedure are.
const APART: SignedDuration = SignedDuration::from_mins(5);
const QUESTIONS: usize = 200;
/// How long the host leaves the record to others between two portions.
const REST: Duration = Duration::from_millis(20);

fn main() {
    if !sopwith_bench::wanted("history") {
        return;
    }
    let folder = tempfile::tempdir_in(std::env::temp_dir()).expect("a folder");
    let path = folder.path().join("history.db");
    let procedures = (0..PROCEDURES).map(|number| {
        let minute = number % 60;
        scheduled(
            &format!("p{number}"),
            "check",
            &format!("{minute} * * * *"),
            CatchUp::Latest,
        )
    });
    let world = World::on(folder, 7, procedures);
    let host = world.start();
    host.advance(Duration::from_hours(1));
    fill(&host.runs(), host.record(), &path);
    questions(&host);
    pruning(host.record(), host.runs().last().expect("a run").queued.queued_at);
    host.kill();
}

/// Makes each run of a little history into fifty thousand, each five minutes before the last one.
fn fill(runs: &[Run], store: &SqliteStore, path: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut connection = Connection::open(path).expect("the history");
    connection
        .pragma_update(None, "synchronous", "off")
        .expect("no waiting");
    for run in runs {
        let line = Note::Printed {
            stream: "stdout".to_owned(),
            text: "looked at one more thing of those that there are to look at".to_owned(),
        };
        let entry = JournalEntry {
            at: run.queued.queued_at,
            attempt: 1,
            note: line,
        };
        runtime
            .block_on(store.record(run.id(), vec![entry; LINES]))
            .expect("a record");
        let template = Template::read(&connection, run);
        for begin in (1..RUNS_OF_EACH).step_by(10_000) {
            let transaction = connection.transaction().expect("a transaction");
            for number in begin..RUNS_OF_EACH.min(begin + 10_000) {
                template.insert(&transaction, number);
            }
            transaction.commit().expect("a commit");
        }
    }
    // Or the first who waits for the disk waits for all of it.
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("a checkpoint");
    std::fs::File::open(path)
        .expect("the history")
        .sync_all()
        .expect("the disk");
}

/// The rows of one run.
struct Template {
    run: Run,
    body: String,
    verdict: Option<String>,
    passed: bool,
    events: Vec<String>,
    journal: Vec<String>,
}

impl Template {
    fn read(connection: &Connection, run: &Run) -> Self {
        let id = run.id().to_string();
        let bodies = |sql: &str| {
            let mut select = connection.prepare(sql).expect("a statement");
            let rows = select.query_map([&id], |row| row.get(0)).expect("rows");
            rows.collect::<Result<Vec<String>, _>>().expect("text")
        };
        Self {
            body: bodies("SELECT body FROM run WHERE id = ?1").remove(0),
            verdict: run.verdict().map(|verdict| verdict.as_str().to_owned()),
            passed: run.passed(),
            events: bodies("SELECT body FROM event WHERE run = ?1 ORDER BY epoch"),
            journal: bodies("SELECT body FROM journal WHERE run = ?1 ORDER BY number"),
            run: run.clone(),
        }
    }

    /// Inserts the run once more, so many times five minutes earlier; each hundredth failed.
    fn insert(&self, connection: &Connection, number: u32) {
        let queued = &self.run.queued;
        let at = queued.queued_at - APART * i32::try_from(number).expect("few");
        let id = RunId::new(
            at,
            (u128::from(number) << 64) + u128::from(queued.queued_at.as_second().unsigned_abs()),
        );
        let (old_id, id) = (self.run.id().to_string(), id.to_string());
        let (old_at, new_at) = (queued.queued_at.to_string(), at.to_string());
        let text = |body: &str| body.replace(&old_id, &id).replace(&old_at, &new_at);
        let failed = number.is_multiple_of(100);
        let column = format!("{at:.9}");
        connection
            .prepare_cached(
                "INSERT INTO run (id, id_reversed, procedure, action, schedule, nominal_at, dry_run, state, verdict,
                     epoch, queued_at, passed_at, body)
                 VALUES (?1, ?2, ?3, ?4, 'tick', ?5, 0, ?6, ?7, ?8, ?5, ?9, ?10)",
            )
            .expect("a statement")
            .execute(params![
                id,
                id.chars().rev().collect::<String>(),
                queued.procedure.as_str(),
                queued.action.as_str(),
                column,
                if failed { "failed" } else { "succeeded" },
                self.verdict.as_ref().filter(|_| !failed),
                self.run.epoch,
                Some(&column).filter(|_| self.passed && !failed),
                text(&self.body),
            ])
            .expect("a run");
        for (table, key, bodies) in [
            ("event", "epoch", &self.events),
            ("journal", "number", &self.journal),
        ] {
            let sql = format!("INSERT INTO {table} (run, {key}, body) VALUES (?1, ?2, ?3)");
            let mut insert = connection.prepare_cached(&sql).expect("a statement");
            for (place, body) in bodies.iter().enumerate() {
                insert.execute(params![id, place + 1, text(body)]).expect("a row");
            }
        }
    }
}

fn questions(host: &Host) {
    let desk = host.desk();
    let runs = host.ask(desk.runs(RunFilter::default()));
    let newest = runs.first().expect("a run").queued.queued_at;
    let procedure = |number: usize| {
        format!("p{}", number % PROCEDURES as usize)
            .parse()
            .expect("a name")
    };
    let past = |number: usize| newest - APART * i32::try_from(number * 200).expect("few");
    let limit = Some(20);
    let filter = |number: usize| match number % 6 {
        0 => RunFilter {
            limit,
            ..RunFilter::default()
        },
        1 => RunFilter {
            limit,
            procedure: Some(procedure(number)),
            ..RunFilter::default()
        },
        2 => RunFilter {
            limit,
            states: vec![RunState::Failed],
            ..RunFilter::default()
        },
        // There is none: nothing may be read through to find that out.
        3 => RunFilter {
            limit,
            procedure: Some(procedure(number)),
            verdict: Some(Verdict::Critical),
            ..RunFilter::default()
        },
        4 => RunFilter {
            limit,
            until: Some(past(number)),
            ..RunFilter::default()
        },
        _ => RunFilter {
            limit,
            procedure: Some(procedure(number)),
            action: Some("check".parse().expect("a name")),
            states: vec![RunState::Failed],
            since: Some(past(number)),
            ..RunFilter::default()
        },
    };
    tell("`runs`, six kinds of filter, p95", |number| {
        host.ask(desk.runs(filter(number)));
    });
    let ids: Vec<_> = (0..QUESTIONS)
        .filter_map(|number| {
            let filter = RunFilter {
                limit: Some(1),
                until: Some(past(number + 1)),
                ..RunFilter::default()
            };
            Some(host.ask(desk.runs(filter)).first()?.id())
        })
        .collect();
    tell("`show`, with its record, p95", |number| {
        let id = ids[number % ids.len()];
        host.ask(desk.run(&id.to_string()));
        host.ask(desk.journal(id, 0));
    });
    tell("`status`, 20 procedures, p95", |_| {
        host.ask(desk.status());
    });
    tell("`why`, newest and in the past, p95", |number| {
        let at = (number % 2 == 1).then(|| past(number));
        host.ask(desk.why(procedure(number), at));
    });
}

fn tell(name: &str, mut ask: impl FnMut(usize)) {
    let samples: Samples = (0..QUESTIONS).map(|number| timed(|| ask(number)).1).collect();
    let figure = Figure {
        name,
        measured: Quantity::Time(samples.percentile(95)),
        baseline: ("the median", Quantity::Time(samples.median())),
        target: Target::AtMost(Quantity::Time(Duration::from_millis(50))),
    };
    figure.tell();
}

/// Takes a hundred thousand runs away as the host does, while somebody writes all the time.
fn pruning(store: &SqliteStore, newest: Timestamp) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let clock = Machine::default();
    let run = runtime
        .block_on(store.runs(&RunFilter {
            limit: Some(1),
            ..RunFilter::default()
        }))
        .expect("runs")
        .remove(0);
    let before = runtime.block_on(write(store, &clock, run.id(), async {
        clock.sleep(Duration::from_secs(5)).await;
    }));
    let prune = async {
        let mut gone = 0;
        for procedure in store.recorded_procedures().await.expect("procedures") {
            let kept = store.kept_from(&procedure, Timestamp::MIN, RUNS_OF_EACH - PRUNED_OF_EACH);
            let mut portion = Portion {
                procedure: procedure.clone(),
                after: None,
                before: kept.await.expect("a place"),
                now: newest,
            };
            loop {
                let pruned = store.prune(portion.clone()).await.expect("a portion");
                gone += pruned.runs;
                clock.sleep(REST).await;
                match pruned.next {
                    Some(next) => portion.after = Some(next),
                    None => break,
                }
            }
        }
        assert!(
            gone >= u64::from(PROCEDURES * (PRUNED_OF_EACH - 10)),
            "{gone} went"
        );
    };
    let meanwhile = runtime.block_on(write(store, &clock, run.id(), prune));
    for (name, percent) in [
        ("a write while 100,000 runs are pruned, longest", 100),
        ("the same, p99", 99),
    ] {
        let figure = Figure {
            name,
            measured: Quantity::Time(meanwhile.percentile(percent)),
            baseline: (
                "the same without pruning",
                Quantity::Time(before.percentile(percent)),
            ),
            target: Target::AtMost(Quantity::Time(Duration::from_millis(50))),
        };
        figure.tell();
    }
}

/// Writes line after line into the record of a run until something is done, and says how long each took.
async fn write(store: &SqliteStore, clock: &Machine, run: RunId, until: impl Future<Output = ()>) -> Samples {
    let mut samples = Samples::default();
    tokio::pin!(until);
    loop {
        let line = JournalEntry {
            at: Timestamp::UNIX_EPOCH,
            attempt: 1,
            note: Note::StepBegan {
                name: "one".to_owned(),
            },
        };
        let began = clock.monotonic();
        let written = async {
            store.record(run, vec![line]).await.expect("a line");
            clock.monotonic().saturating_sub(began)
        };
        tokio::pin!(written);
        let mut is_done = false;
        let took = loop {
            tokio::select! {
                took = &mut written => break took,
                () = &mut until, if !is_done => is_done = true,
            }
        };
        samples.add(took);
        if is_done {
            return samples;
        }
        tokio::select! {
            () = clock.sleep(Duration::from_millis(2)) => {}
            () = &mut until => return samples,
        }
    }
}
