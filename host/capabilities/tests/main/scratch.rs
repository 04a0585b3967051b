//! Databases of a run's own.

use crate::world::{World, execute, failure, kind, names, rows, session};
use sopwith_core::attempt::CapabilityProvider as _;
use sopwith_core::failure::FailureKind;
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{SessionMode, VerifyDepth};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_scratch_takes_any_schema_and_stays_for_later_attempts() {
    let world = World {
        dry_run: true,
        ..World::new()
    };
    let all = world.open().await;
    let scratch = all.sql().scratch("app").await.unwrap();
    let mut writing = session(&*all, &scratch, SessionMode::Write).await;
    execute(&mut *writing, "CREATE TABLE a (x); ").await.unwrap();
    assert_eq!(
        execute(&mut *writing, "INSERT INTO a VALUES (1), (2)")
            .await
            .unwrap(),
        2
    );
    assert!(execute(&mut *writing, "ATTACH 'x.db' AS x").await.is_err());
    assert!(
        execute(&mut *writing, "PRAGMA max_page_count = 1000000000")
            .await
            .is_err()
    );
    writing.commit().await.unwrap();
    drop(writing);

    let later = world.open().await;
    let mut reading = session(&*later, &scratch, SessionMode::Read).await;
    assert_eq!(rows(&mut *reading, "SELECT * FROM a").await.unwrap().len(), 2);
    assert!(
        later
            .sql()
            .verify(&scratch, VerifyDepth::Full)
            .await
            .unwrap()
            .is_empty()
    );
    later.sql().discard(&scratch).await.unwrap();
    assert_eq!(kind(later.sql().describe(&scratch).await), FailureKind::NotFound);
    assert_eq!(kind(later.sql().discard("app").await), FailureKind::Invalid);
}

#[tokio::test]
async fn scratches_are_few_and_have_room_or_are_not_made() {
    let small = World {
        limits: Limits {
            scratch_bytes: 10 << 10,
            ..Limits::default()
        },
        ..World::new()
    };
    for (world, count) in [(small, 2), (World::new(), 64)] {
        let all = world.open().await;
        for _ in 0..count {
            all.sql().scratch("app").await.unwrap();
        }
        assert_eq!(kind(all.sql().scratch("app").await), FailureKind::Limit);
        all.sql().discard("scratch:1").await.unwrap();
        all.sql().scratch("app").await.unwrap();
    }
}

#[tokio::test]
async fn a_scratch_does_not_grow_beyond_its_limit() {
    let limits = Limits {
        scratch_bytes: 1 << 20,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    let scratch = all.sql().scratch("app").await.unwrap();
    let mut session = session(&*all, &scratch, SessionMode::Write).await;
    execute(&mut *session, "CREATE TABLE a (x)").await.unwrap();
    let bomb = "INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(1000) FROM n";
    let ended = failure(execute(&mut *session, bomb).await);
    assert_eq!(ended.kind, FailureKind::Limit);
    assert!(ended.extra.contains(&("limit".to_owned(), "scratch".to_owned())));
    let directory = world.scratch().join(world.run.to_string());
    let used: u64 = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(used <= 1 << 20, "{used}");
}

#[tokio::test]
async fn scratches_lie_in_a_private_place_and_are_gone_with_their_run() {
    let world = World::new();
    let all = world.open().await;
    all.sql().scratch("app").await.unwrap();
    let own = world.scratch().join(world.run.to_string());
    assert_eq!(own.metadata().unwrap().permissions().mode() & 0o777, 0o700);

    world.provider.sweep(&[world.run]).await.unwrap();
    assert!(own.exists());
    std::fs::create_dir(world.scratch().join("not-a-run")).unwrap();
    world.provider.sweep(&[]).await.unwrap();
    assert_eq!(names(&world.scratch()), ["not-a-run"]);

    all.sql().scratch("app").await.unwrap();
    world.provider.end_run(world.run).await;
    assert!(!own.exists());
}

#[tokio::test]
async fn names_of_scratches_lead_nowhere_else() {
    let world = World::new();
    let all = world.open().await;
    all.sql().scratch("app").await.unwrap();
    for name in [
        "scratch:",
        "scratch:../app",
        "scratch:1.db",
        "scratch:2",
        "scratch:/etc/passwd",
    ] {
        assert_eq!(
            kind(all.sql().describe(name).await),
            FailureKind::NotFound,
            "{name}"
        );
    }
}
