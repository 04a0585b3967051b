//! Sessions that do what they are for.

use crate::world::{World, execute, failure, kind, rows, session};
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::grant::Access;
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{SessionMode, SqlValue, VerifyDepth};
use std::time::Duration;

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test]
async fn a_session_sees_one_snapshot_while_others_write() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    world
        .connect()
        .execute_batch("UPDATE account SET balance = 0; DROP TABLE secret")
        .unwrap();
    let sum = rows(&mut *session, "SELECT sum(balance) FROM account")
        .await
        .unwrap();
    assert_eq!(sum, [[SqlValue::Integer(100)]]);
    assert!(session.schema().await.unwrap().contains("create table secret"));
    assert!(
        !all.sql()
            .schema("app")
            .await
            .unwrap()
            .contains("create table secret")
    );
}

#[tokio::test]
async fn two_cursors_page_side_by_side_and_close_in_any_order() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i AS number FROM n";
    let mut one = session.query(numbers, Vec::new(), Vec::new()).await.unwrap();
    let mut other = session.query(numbers, Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(one.columns()[0].name, "number");
    assert_eq!(one.next(2).await.unwrap().len(), 2);
    assert_eq!(other.next(3).await.unwrap()[2], [SqlValue::Integer(3)]);
    assert_eq!(one.next(1).await.unwrap(), [[SqlValue::Integer(3)]]);
    drop(one);
    assert_eq!(other.next(100).await.unwrap().len(), 2);
    assert!(other.next(100).await.unwrap().is_empty());
    assert!(other.next(100).await.unwrap().is_empty());
    drop(other);
    assert_eq!(rows(&mut *session, "SELECT 1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_flood_of_cursors_ends_at_a_limit_and_the_session_goes_on() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let mut open = Vec::new();
    let refused = loop {
        match session
            .query("SELECT * FROM account", Vec::new(), Vec::new())
            .await
        {
            Ok(cursor) => open.push(cursor),
            Err(failure) => break failure,
        }
    };
    assert_eq!(refused.kind, FailureKind::Limit);
    assert_eq!(open[0].next(10).await.unwrap().len(), 2);
    drop(open);
    assert_eq!(
        rows(&mut *session, "SELECT * FROM account").await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_session_is_opened_where_another_one_was_closed_and_no_further_one() {
    let world = World::new();
    let all = world.open().await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(session(&*all, "app", SessionMode::Read).await);
    }
    let one_more = all.sql().open("app", SessionMode::Read, Vec::new()).await;
    let refused = failure(one_more);
    assert!(
        refused
            .extra
            .contains(&("limit".to_owned(), "sessions".to_owned()))
    );
    for _ in 0..3 {
        drop(open.pop());
        session(&*all, "app", SessionMode::Read).await;
    }
}

#[tokio::test]
async fn values_come_back_as_they_are_stored() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let parameters = vec![
        SqlValue::Decimal("12.50".to_owned()),
        SqlValue::Boolean(true),
        SqlValue::Blob(vec![0, 255]),
        SqlValue::Null,
        SqlValue::Real(0.5),
    ];
    let mut cursor = session
        .query("SELECT ?, ?, ?, ?, ?", parameters, Vec::new())
        .await
        .unwrap();
    assert_eq!(
        cursor.next(1).await.unwrap(),
        [[
            SqlValue::Text("12.50".to_owned()),
            SqlValue::Integer(1),
            SqlValue::Blob(vec![0, 255]),
            SqlValue::Null,
            SqlValue::Real(0.5),
        ]]
    );
    let too_few = session.query("SELECT ?", Vec::new(), Vec::new()).await;
    assert_eq!(kind(too_few), FailureKind::Invalid);
}

#[tokio::test]
async fn a_query_ends_at_its_limits_and_leaves_the_snapshot_of_use() {
    let limits = Limits {
        rows: 1_000,
        query_bytes: 1 << 20,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let large =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(100000) FROM n";
    for (query, limit) in [
        (many, "rows"),
        (large, "query_bytes"),
        ("SELECT zeroblob(2000000)", "query_bytes"),
    ] {
        let ended = failure(rows(&mut *session, query).await);
        assert_eq!(ended.kind, FailureKind::Limit, "{query}");
        assert!(
            ended.extra.contains(&("limit".to_owned(), limit.to_owned())),
            "{query}"
        );
    }
    let options = vec![("statement-timeout-ms".to_owned(), "50".to_owned())];
    let mut cursor = session.query(ENDLESS, Vec::new(), options).await.unwrap();
    assert_eq!(kind(cursor.next(1).await), FailureKind::Timeout);
    drop(cursor);
    assert_eq!(
        rows(&mut *session, "SELECT * FROM account").await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_cancelled_run_ends_its_query_at_once() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let mut cursor = session.query(ENDLESS, Vec::new(), Vec::new()).await.unwrap();
    let cancel = world.cancel.clone();
    let (ended, ()) = tokio::join!(cursor.next(1), async { cancel.cancel() });
    assert_eq!(kind(ended), FailureKind::Cancelled);
}

#[tokio::test]
async fn an_attempt_whose_time_is_up_ends_its_query() {
    let world = World {
        time: Duration::from_millis(100),
        ..World::new()
    };
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    assert_eq!(kind(rows(&mut *session, ENDLESS).await), FailureKind::Timeout);
}

#[tokio::test]
async fn a_write_that_is_not_committed_is_rolled_back_and_a_failed_statement_undoes_only_itself() {
    let world = World {
        database_access: Access::Write,
        write_tables: vec!["account"],
        ..World::new()
    };
    let all = world.open().await;
    let mut dropped = session(&*all, "app", SessionMode::Write).await;
    assert_eq!(
        execute(&mut *dropped, "UPDATE account SET balance = 7")
            .await
            .unwrap(),
        2
    );
    drop(dropped);

    let mut session = session(&*all, "app", SessionMode::Write).await;
    assert_eq!(
        execute(&mut *session, "UPDATE account SET balance = 50 WHERE id = 1")
            .await
            .unwrap(),
        1
    );
    let taken = execute(&mut *session, "INSERT INTO account VALUES (9, 1), (1, 1)").await;
    assert_eq!(kind(taken), FailureKind::Conflict);
    session.commit().await.unwrap();
    assert_eq!(kind(session.commit().await), FailureKind::Conflict);
    let stored: Vec<i64> = {
        let connection = world.connect();
        let mut statement = connection
            .prepare("SELECT balance FROM account ORDER BY id")
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    assert_eq!(stored, [50, 0]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_the_operators_to_mend() {
    for content in [
        "",
        "this is a text and by no means a database, however long it may go on and on and on",
    ] {
        let world = World::new();
        drop(world.connect());
        std::fs::remove_file(world.app()).unwrap();
        std::fs::write(world.app(), content).unwrap();
        let all = world.open().await;
        for answer in [
            all.sql().verify("app", VerifyDepth::Quick).await.map(drop),
            all.sql().describe("app").await.map(drop),
            all.sql()
                .open("app", SessionMode::Read, Vec::new())
                .await
                .map(drop),
        ] {
            let failure = failure(answer);
            assert_eq!(
                (failure.kind, failure.blame),
                (FailureKind::Invalid, Blame::Operator)
            );
            assert!(
                failure.message.contains("is not an SQLite database"),
                "{}",
                failure.message
            );
        }
    }
    let world = World::new();
    std::fs::remove_file(world.app()).unwrap();
    let all = world.open().await;
    assert_eq!(kind(all.sql().describe("app").await), FailureKind::NotFound);
}

#[tokio::test]
async fn verification_finds_orphans_and_damaged_pages() {
    let world = World::new();
    let all = world.open().await;
    assert_eq!(all.sql().verify("app", VerifyDepth::Full).await.unwrap(), [""; 0]);
    let connection = world.connect();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO entry VALUES (1, 99, 5)")
        .unwrap();
    assert_eq!(
        all.sql().verify("app", VerifyDepth::Quick).await.unwrap(),
        [""; 0]
    );
    assert_eq!(
        all.sql().verify("app", VerifyDepth::Full).await.unwrap(),
        ["row 1 of `entry` refers to a row of `account` that does not exist"]
    );
    let page: u64 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'account'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
        .unwrap();
    drop(connection);
    let mut bytes = std::fs::read(world.app()).unwrap();
    let start = usize::try_from((page - 1) * 4096).unwrap();
    bytes[start..start + 64].fill(0xff);
    std::fs::write(world.app(), bytes).unwrap();
    assert!(
        !all.sql()
            .verify("app", VerifyDepth::Quick)
            .await
            .unwrap()
            .is_empty()
    );
}
