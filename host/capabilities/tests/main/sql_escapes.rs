//! Statements that try to leave their session.

use crate::world::{World, execute, failure, kind, names, rows, session};
use sopwith_core::failure::FailureKind;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::SessionMode;

/// What no session of a granted database may do, whatever it was opened for.
const ESCAPES: [&str; 35] = [
    "ATTACH 'other.db' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT mine",
    "RELEASE sopwith",
    "ROLLBACK TO sopwith",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA user_version = 7",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT fts3_tokenizer('simple')",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "CREATE TABLE mine (x)",
    "CREATE TEMP TABLE mine (x)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE VIRTUAL TABLE mine USING fts5(x)",
    "CREATE TRIGGER mine AFTER INSERT ON entry BEGIN SELECT 1; END",
    "DROP TABLE secret",
    "ALTER TABLE secret RENAME TO mine",
    "SELECT data FROM sqlite_dbpage",
    "UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1",
    "DELETE FROM sqlite_schema",
];

async fn check(world: &World, mode: SessionMode) {
    let before = std::fs::read(world.app()).unwrap();
    let names_before = names(world.root());
    let all = world.open().await;
    let mut session = session(&*all, "app", mode).await;
    for escape in ESCAPES {
        assert!(rows(&mut *session, escape).await.is_err(), "query: {escape}");
        assert!(execute(&mut *session, escape).await.is_err(), "execute: {escape}");
        // The session is still in its transaction, and of use.
        let sum = rows(&mut *session, "SELECT sum(balance) FROM account").await;
        assert!(sum.is_ok(), "after {escape}");
    }
    drop(session);
    assert_eq!(std::fs::read(world.app()).unwrap(), before);
    let mut names_after = names(world.root());
    names_after.retain(|name| !name.starts_with("app.db-"));
    let mut names_before = names_before;
    names_before.retain(|name| !name.starts_with("app.db-"));
    assert_eq!(names_after, names_before);
}

#[tokio::test]
async fn no_statement_leaves_a_session_for_reading() {
    check(&World::new(), SessionMode::Read).await;
}

#[tokio::test]
async fn no_statement_leaves_a_session_for_writing() {
    let world = World {
        database_access: Access::Write,
        write_tables: vec!["account"],
        ..World::new()
    };
    check(&world, SessionMode::Write).await;
}

#[tokio::test]
async fn a_session_for_reading_writes_nothing() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    for change in [
        "INSERT INTO account VALUES (3, 0)",
        "DELETE FROM account",
        "UPDATE account SET balance = 1",
    ] {
        assert!(execute(&mut *session, change).await.is_err(), "{change}");
        let refused = failure(rows(&mut *session, change).await);
        assert_eq!(
            refused.message, "`app` was opened for reading, and the statement changes it",
            "{change}"
        );
        let returning = format!("{change} RETURNING id");
        assert!(rows(&mut *session, &returning).await.is_err(), "{returning}");
    }
}

#[tokio::test]
async fn a_second_statement_is_refused_and_the_first_one_too() {
    let world = World {
        database_access: Access::Write,
        write_tables: vec!["account"],
        ..World::new()
    };
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Write).await;
    for two in [
        "SELECT 1; SELECT 2",
        "SELECT 1;; SELECT 2",
        "SELECT 1; /* x */ nonsense",
    ] {
        assert_eq!(
            kind(rows(&mut *session, two).await),
            FailureKind::Invalid,
            "{two}"
        );
    }
    let two = "DELETE FROM account; SELECT 1";
    assert_eq!(kind(execute(&mut *session, two).await), FailureKind::Invalid);
    let none = rows(&mut *session, " -- nothing").await;
    assert_eq!(kind(none), FailureKind::Invalid);
    assert_eq!(rows(&mut *session, "SELECT 1; -- one").await.unwrap().len(), 1);
    assert_eq!(
        rows(&mut *session, "SELECT * FROM account").await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn only_the_tables_of_the_grant_are_written_and_not_by_a_trigger_either() {
    let world = World {
        database_access: Access::Write,
        write_tables: vec!["Account", "entry"],
        ..World::new()
    };
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Write).await;
    execute(&mut *session, "INSERT INTO account VALUES (3, 5)")
        .await
        .unwrap();
    let refused = failure(execute(&mut *session, "DELETE FROM secret").await);
    assert_eq!(refused.kind, FailureKind::Denied);
    assert_eq!(
        refused.hint.unwrap(),
        "change where it is granted:  databases = { app = { access = \"write\", write_tables = [\"secret\"] } }"
    );
    let by_trigger = "INSERT INTO entry (account, cents) VALUES (1, 5)";
    assert_eq!(
        kind(execute(&mut *session, by_trigger).await),
        FailureKind::Denied
    );
    assert_eq!(rows(&mut *session, "SELECT * FROM entry").await.unwrap().len(), 0);
    session.commit().await.unwrap();
    drop(session);
    let sum: i64 = world
        .connect()
        .query_row("SELECT sum(balance) FROM account", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sum, 105);
}

#[tokio::test]
async fn a_database_that_is_only_granted_to_read_is_not_opened_to_write_and_that_is_on_record_once() {
    let world = World::new();
    let all = world.open().await;
    for _ in 0..3 {
        let opened = all.sql().open("app", SessionMode::Write, Vec::new()).await;
        let refused = failure(opened);
        assert_eq!(refused.kind, FailureKind::Denied);
        assert!(
            refused
                .hint
                .unwrap()
                .starts_with("change under [grants]:  databases = { app =")
        );
    }
    let denied = world
        .notes()
        .await
        .into_iter()
        .filter(|note| matches!(note, sopwith_core::journal::Note::Denied(_)));
    assert_eq!(denied.count(), 1);
}
