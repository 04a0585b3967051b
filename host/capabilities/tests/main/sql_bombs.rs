//! Statements that want more time, memory or disk than they may have.

use crate::world::{World, execute, failure, rows, session};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid};
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{Answer, Session, SessionMode, VerifyDepth};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

const MIB: u64 = 1 << 20;

/// Calls of functions in which the engine looks at no clock.
const ENDLESS_FUNCTIONS: [&str; 8] = [
    "SELECT instr(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || '1')",
    "SELECT length(replace(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || '1', 'x'))",
    "SELECT hex(zeroblob(8000000)) LIKE '%' || hex(zeroblob(450)) || '1'",
    "SELECT hex(zeroblob(8000000)) GLOB '*' || hex(zeroblob(450)) || '1'",
    "SELECT length(trim(hex(zeroblob(8000000)), replace(hex(zeroblob(600000)), '0', 'a') || '0'))",
    "SELECT unhex(replace(hex(zeroblob(4000000)), '0', ' '), replace(hex(zeroblob(4000000)), '0', 'g') || ' ')",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
     SELECT length(json_patch((SELECT json_group_object('a' || i, 1) FROM n),
                              (SELECT json_group_object('b' || i, 1) FROM n)))",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
     SELECT count(*) FROM n WHERE instr(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || i)",
];

/// Values that are larger than a value may be.
const LARGE_VALUES: [&str; 11] = [
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT length(zeroblob(20000000))",
    "SELECT printf('%.*c', 1000000000, 'x')",
    "SELECT printf('%1000000000d', 1)",
    "SELECT format('%s%s', hex(zeroblob(7000000)), hex(zeroblob(7000000)))",
    "SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
    "SELECT hex(randomblob(10000000))",
    "SELECT quote(zeroblob(10000000))",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT group_concat(hex(zeroblob(1000))) FROM n",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT json_group_array(hex(zeroblob(1000))) FROM n",
];

/// What does not come out before everything has gone in.
const TEMPORARY_FILES: [&str; 6] = [
    "SELECT randomblob(1000) AS r FROM n ORDER BY r",
    "SELECT DISTINCT randomblob(1000) FROM n",
    "SELECT randomblob(1000) AS r, count(*) FROM n GROUP BY r",
    "SELECT count(*) FROM (SELECT randomblob(1000) FROM n UNION SELECT randomblob(1000) FROM n)",
    "SELECT sum(length(r)) OVER (ORDER BY r ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     FROM (SELECT randomblob(1000) AS r FROM n)",
    "SELECT 1 IN (SELECT randomblob(1000) FROM n)",
];

const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

fn world(limits: Limits) -> World {
    World {
        limits,
        ..World::new()
    }
}

/// A world in which a session has room for several of the largest values.
fn roomy() -> World {
    world(Limits {
        memory_bytes: 192 * MIB,
        ..Limits::default()
    })
}

#[track_caller]
fn check_limit<T>(answer: Answer<T>, limit: &str, what: &str) {
    let failure: Failure = failure(answer);
    assert_eq!(failure.kind, FailureKind::Limit, "{what}: {failure}");
    let named = failure.extra.contains(&("limit".to_owned(), limit.to_owned()));
    assert!(named, "{what}: {:?}", failure.extra);
}

async fn is_of_use(session: &mut dyn Session) {
    let balances = rows(session, "SELECT balance FROM account ORDER BY balance").await;
    assert_eq!(balances.unwrap().len(), 2);
}

fn directory(world: &World) -> PathBuf {
    world
        .scratch()
        .join(world.run.to_string())
        .canonicalize()
        .unwrap()
}

/// The processes of the sessions of a world, which work in the directory of its run.
fn processes(world: &World) -> Vec<PathBuf> {
    let directory = directory(world);
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    processes
        .filter(|process| std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == directory))
        .collect()
}

/// Waits for the end of everything that was ever started.
async fn wait_until_gone(world: &World) {
    for process in processes(world) {
        let number = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let wait = move || {
            // One that cannot be found or waited for has ended.
            let Ok(process) = pidfd_open(Pid::from_raw(number).unwrap(), PidfdFlags::empty()) else {
                return;
            };
            let _ = waitid(
                WaitId::PidFd(process.as_fd()),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            );
        };
        tokio::task::spawn_blocking(wait).await.unwrap();
    }
}

fn temporary_bytes(world: &World) -> u64 {
    let directory = directory(world);
    let descriptors = processes(world).into_iter().flat_map(|process| {
        std::fs::read_dir(process.join("fd"))
            .into_iter()
            .flatten()
            .flatten()
    });
    let is_unnamed = |path: &PathBuf| {
        std::fs::read_link(path).is_ok_and(|target| {
            target.parent() == Some(&directory) && target.to_string_lossy().ends_with(" (deleted)")
        })
    };
    let unnamed = descriptors.map(|entry| entry.path()).filter(is_unnamed);
    unnamed
        .map(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
        .sum()
}

#[tokio::test]
async fn a_function_that_cannot_be_interrupted_ends_with_its_time_and_its_process_with_it() {
    let world = roomy();
    let all = world.open().await;
    for statement in ENDLESS_FUNCTIONS {
        let begun = Instant::now();
        let mut session = session(&*all, "app", SessionMode::Read).await;
        let options = vec![("statement-timeout-ms".to_owned(), "100".to_owned())];
        let mut cursor = session.query(statement, Vec::new(), options).await.unwrap();
        let read = cursor.next(1).await;
        let ended = read.expect_err(statement);
        assert_eq!(ended.kind, FailureKind::Timeout, "{statement}: {ended}");
        drop((cursor, session));
        wait_until_gone(&world).await;
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(5),
            "{statement} was at work for {took:?}"
        );
    }
}

#[tokio::test]
async fn it_ends_with_the_attempt_and_when_it_is_cancelled_too() {
    for cancels in [false, true] {
        let world = World {
            time: if cancels {
                Duration::from_mins(1)
            } else {
                Duration::from_millis(200)
            },
            ..roomy()
        };
        let all = world.open().await;
        let mut session = session(&*all, "app", SessionMode::Read).await;
        let begun = Instant::now();
        let query = rows(&mut *session, ENDLESS_FUNCTIONS[0]);
        let cancel = async {
            if cancels {
                world.cancel.cancel();
            }
        };
        let (ended, ()) = tokio::join!(query, cancel);
        let kind = failure(ended).kind;
        let expected = if cancels {
            FailureKind::Cancelled
        } else {
            FailureKind::Timeout
        };
        assert_eq!(kind, expected);
        drop(session);
        wait_until_gone(&world).await;
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn no_value_is_larger_than_one_may_be() {
    let world = roomy();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    for statement in LARGE_VALUES {
        check_limit(rows(&mut *session, statement).await, "query_bytes", statement);
        is_of_use(&mut *session).await;
    }
    let statement = format!("SELECT 1{}", " + 1".repeat(1 << 20));
    check_limit(
        rows(&mut *session, &statement).await,
        "query_bytes",
        "a long statement",
    );
    is_of_use(&mut *session).await;
}

#[tokio::test]
async fn a_row_is_counted_before_it_is_held() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let wide = "SELECT zeroblob(9000000), zeroblob(9000000)";
    check_limit(rows(&mut *session, wide).await, "query_bytes", wide);
    is_of_use(&mut *session).await;
}

#[tokio::test]
async fn statements_have_a_share_of_the_memory_of_the_plugin_and_the_session_outlives_them() {
    let world = world(Limits {
        memory_bytes: 64 * MIB,
        ..Limits::default()
    });
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let values = vec!["randomblob(15000000)"; 20].join(", ");
    let distinct =
        vec!["(SELECT count(*) FROM (SELECT DISTINCT hex(randomblob(500)) FROM m))"; 100].join(", ");
    for statement in [
        format!("SELECT {values}"),
        format!("SELECT length(max({values}))"),
        format!(
            "WITH RECURSIVE m (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM m WHERE i < 5000) SELECT {distinct}"
        ),
    ] {
        check_limit(rows(&mut *session, &statement).await, "memory", &statement[..80]);
        is_of_use(&mut *session).await;
    }
}

#[tokio::test]
async fn columns_with_names_of_mebibytes_are_refused() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let name = "x".repeat(600_000);
    let two = format!("SELECT * FROM (SELECT 1 AS \"{name}\") AS a, (SELECT 2) AS b, (SELECT 1) AS c");
    assert!(rows(&mut *session, &two).await.is_ok());
    let twice = format!("WITH a AS (SELECT 1 AS \"{name}\") SELECT * FROM a, a AS b");
    check_limit(rows(&mut *session, &twice).await, "query_bytes", "two long names");
    is_of_use(&mut *session).await;
}

#[tokio::test]
async fn many_cursors_share_the_memory_of_their_session() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let mut open = Vec::new();
    let refused = loop {
        let large = "SELECT zeroblob(1) || randomblob(12000000) UNION ALL SELECT 1";
        let mut cursor = session.query(large, Vec::new(), Vec::new()).await.unwrap();
        let read = cursor.next(1).await;
        if read.is_err() {
            break read;
        }
        open.push(cursor);
        assert!(open.len() < 20, "each holds twelve megabytes");
    };
    check_limit(refused, "memory", "a row for each cursor");
    drop(open);
    is_of_use(&mut *session).await;
}

#[tokio::test]
async fn temporary_files_lie_with_the_run_count_as_scratch_and_are_given_back() {
    let world = world(Limits {
        scratch_bytes: 24 * MIB,
        ..Limits::default()
    });
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    for statement in TEMPORARY_FILES {
        let statement = format!("{ENDLESS} {statement}");
        check_limit(rows(&mut *session, &statement).await, "scratch", &statement);
        assert_eq!(temporary_bytes(&world), 0, "{statement}");
        is_of_use(&mut *session).await;
    }
    let most = all.used().scratch_bytes;
    assert!((24 * MIB..48 * MIB).contains(&most), "{most}");
}

/// What one session holds is not there for another one of the run.
#[tokio::test]
async fn sessions_of_a_run_share_what_it_may_put_on_the_disk() {
    let world = world(Limits {
        scratch_bytes: 24 * MIB,
        ..Limits::default()
    });
    let sort = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16000)
                SELECT randomblob(1000) AS r FROM n ORDER BY r";
    let all = world.open().await;
    let mut one = session(&*all, "app", SessionMode::Read).await;
    let mut cursor = one.query(sort, Vec::new(), Vec::new()).await.unwrap();
    cursor.next(1).await.unwrap();
    assert!(temporary_bytes(&world) > 8 * MIB, "{}", temporary_bytes(&world));

    let mut other = session(&*all, "app", SessionMode::Read).await;
    check_limit(rows(&mut *other, sort).await, "scratch", "the second session");
    let scratch = all.sql().scratch("app").await.unwrap();
    let mut writing = session(&*all, &scratch, SessionMode::Write).await;
    execute(&mut *writing, "CREATE TABLE a (x)").await.unwrap();
    let fill = "INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16)
                SELECT zeroblob(1000000) FROM n";
    check_limit(
        execute(&mut *writing, fill).await,
        "scratch",
        "a scratch database",
    );
    drop((cursor, one, writing));
    // What was closed takes a moment to let go of its files.
    while processes(&world).len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&mut *other, sort).await.unwrap().len(), 16_000);
}

/// A service manager tells all processes to end, and the host lets its runs come to theirs.
#[tokio::test]
async fn a_session_outlives_the_signals_to_the_host() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    for process in processes(&world) {
        let number = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            kill_process(Pid::from_raw(number).unwrap(), signal).unwrap();
        }
    }
    is_of_use(&mut *session).await;
}

#[tokio::test]
async fn what_a_session_used_is_told() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let sort = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
                SELECT randomblob(1000) AS r FROM n ORDER BY r";
    rows(&mut *session, sort).await.unwrap();
    is_of_use(&mut *session).await;
    let used = all.used();
    assert_eq!(used.rows, 8_000);
    assert!((8_000_000..9_000_000).contains(&used.query_bytes), "{used:?}");
    assert!((8_000_000..32_000_000).contains(&used.scratch_bytes), "{used:?}");
}

/// A plugin may fill a scratch with bytes of its own, and so with expressions of its own.
#[tokio::test]
async fn a_check_of_a_scratch_ends_with_the_attempt() {
    let world = World {
        time: Duration::from_secs(1),
        ..roomy()
    };
    let all = world.open().await;
    let scratch = all.sql().scratch("app").await.unwrap();
    let endless = ENDLESS_FUNCTIONS[0].trim_start_matches("SELECT ");
    let file = directory(&world).join("1.db");
    rusqlite::Connection::open(file)
        .unwrap()
        .execute_batch(&format!(
            "CREATE TABLE a (x, y AS (CASE x WHEN 0 THEN 0 ELSE {endless} END) NOT NULL);
             INSERT INTO a VALUES (0);
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'WHEN 0', 'WHEN 1');"
        ))
        .unwrap();
    let ended = all.sql().verify(&scratch, VerifyDepth::Full).await.unwrap_err();
    assert_eq!(ended.kind, FailureKind::Timeout, "{ended}");
    wait_until_gone(&world).await;
}
