//! Statements that try to leave their session, or to change what is not theirs.

use crate::sql_attacks::{ATTACKS, ON_TABLES, SCHEMA};
use crate::world::{World, execute, failure, kind, rows, session};
use rusqlite::Connection;
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Capabilities, SessionMode, SqlValue};
use std::collections::BTreeMap;
use std::path::Path;

/// What a session for writing may change; `board` is a view, `shelf` finds text.
const GRANTED: [&str; 6] = ["Account", "entry", "board", "doubled", "item", "shelf"];

fn world(access: Access) -> World {
    let write_tables = if access == Access::Write {
        GRANTED.to_vec()
    } else {
        Vec::new()
    };
    let world = World {
        database_access: access,
        write_tables,
        ..World::new()
    };
    world.connect().execute_batch(SCHEMA).unwrap();
    world
}

/// Every file by its digest, but for the host's own record, and the index of the database's log,
/// in which readers leave marks.
fn files(root: &Path) -> BTreeMap<String, Digest> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                directories.push(path);
            } else if !name.starts_with("history.db") && name != "app.db-shm" {
                files.insert(name, Digest::of(std::fs::read(path).unwrap()));
            }
        }
    }
    files
}

/// Each attack has a session of its own, which is committed where it can be.
async fn attack(mode: SessionMode, attacks: &[&str]) {
    let world = world(match mode {
        SessionMode::Read => Access::Read,
        SessionMode::Write => Access::Write,
    });
    let all = world.open().await;
    // As long as it is open, nobody takes up the log.
    let keeper = world.connect();
    let _: i64 = keeper
        .query_row("SELECT count(*) FROM account", [], |row| row.get(0))
        .unwrap();
    let before = files(world.root());
    for statement in attacks {
        let mut session = session(&*all, "app", mode).await;
        assert!(
            rows(&mut *session, statement).await.is_err(),
            "query: {statement}"
        );
        assert!(
            execute(&mut *session, statement).await.is_err(),
            "execute: {statement}"
        );
        // The session is still in its transaction, and of use.
        let sum = rows(&mut *session, "SELECT sum(balance) FROM account").await;
        assert_eq!(sum.unwrap(), [[SqlValue::Integer(100)]], "after {statement}");
        if mode == SessionMode::Write {
            session.commit().await.unwrap();
        }
        drop(session);
        assert_eq!(files(world.root()), before, "after {statement}");
    }
}

#[tokio::test]
async fn no_statement_leaves_a_session_for_reading() {
    attack(SessionMode::Read, ATTACKS).await;
}

#[tokio::test]
async fn no_statement_leaves_a_session_for_writing() {
    attack(SessionMode::Write, ATTACKS).await;
}

#[tokio::test]
async fn a_session_for_reading_changes_no_table() {
    let on_own = [
        "INSERT INTO account VALUES (3, 0)",
        "UPDATE account SET balance = 1 RETURNING id",
    ];
    attack(SessionMode::Read, &[ON_TABLES, &on_own].concat()).await;
}

#[tokio::test]
async fn a_session_for_writing_changes_no_table_that_is_not_granted() {
    attack(SessionMode::Write, ON_TABLES).await;
}

#[tokio::test]
async fn what_a_session_for_reading_may_not_do_is_said() {
    let world = World::new();
    let all = world.open().await;
    let mut session = session(&*all, "app", SessionMode::Read).await;
    let refused = failure(rows(&mut *session, "DELETE FROM account").await);
    assert_eq!(
        refused.message,
        "`app` was opened for reading, and the statement changes it"
    );
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

/// A virtual table writes into tables of its own by statements of its own.
#[tokio::test]
async fn a_virtual_table_is_written_where_it_is_granted_and_read_where_it_is_not() {
    let world = world(Access::Write);
    let all = world.open().await;
    let mut writing = session(&*all, "app", SessionMode::Write).await;
    for change in [
        "INSERT INTO shelf VALUES ('a new book')",
        "INSERT INTO shelf (shelf) VALUES ('optimize')",
        "INSERT INTO item (name) VALUES ('numbered')",
        "UPDATE doubled SET one = 4",
    ] {
        execute(&mut *writing, change).await.unwrap();
    }
    writing.commit().await.unwrap();
    drop(writing);
    for mode in [SessionMode::Read, SessionMode::Write] {
        let mut session = session(&*all, "app", mode).await;
        for query in [
            "SELECT * FROM shelf WHERE shelf MATCH 'book'",
            "SELECT * FROM note WHERE note MATCH 'quiet'",
            "SELECT * FROM area WHERE low < 2",
            "SELECT * FROM word WHERE word MATCH 'old'",
            "SELECT twice FROM doubled WHERE twice = 8",
            "SELECT 1 FROM sqlite_sequence WHERE name = 'item'",
        ] {
            let found = rows(&mut *session, query).await;
            assert_eq!(found.unwrap().len(), 1, "{query}");
        }
    }
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
        .filter(|note| matches!(note, Note::Denied(_)));
    assert_eq!(denied.count(), 1);
}

/// Everything that leads out of a database leads out of a run's own one, too.
#[tokio::test]
async fn a_scratch_is_no_way_out() {
    let world = World::new();
    let all = world.open().await;
    let scratch = all.sql().scratch("app").await.unwrap();
    let mut session = session(&*all, &scratch, SessionMode::Write).await;
    execute(&mut *session, "CREATE TABLE account (id, balance)")
        .await
        .unwrap();
    for statement in ATTACKS.iter().filter(|attack| leads_out(attack)) {
        assert!(
            rows(&mut *session, statement).await.is_err(),
            "query: {statement}"
        );
        assert!(
            execute(&mut *session, statement).await.is_err(),
            "execute: {statement}"
        );
    }
    session.commit().await.unwrap();
    drop(session);
    crafted(&world, &*all, &scratch).await;
}

/// In a database of one's own a schema may be anything.
fn leads_out(attack: &str) -> bool {
    let harmless = [
        "CREATE",
        "DROP",
        "ALTER",
        "REINDEX",
        "ANALYZE",
        "DELETE FROM sqlite_stat1",
        "UPDATE sqlite_sequence",
    ];
    attack.contains("VIRTUAL") || !harmless.iter().any(|start| attack.starts_with(start))
}

/// A plugin may fill a scratch with bytes of its own, and so with a schema that no statement of a
/// session could have made.
async fn crafted(world: &World, all: &dyn Capabilities, scratch: &str) {
    let directory = world.scratch().join(world.run.to_string());
    let file = directory.join(format!("{}.db", scratch.trim_start_matches("scratch:")));
    Connection::open(&file)
        .unwrap()
        .execute_batch(
            "CREATE VIEW page AS SELECT * FROM sqlite_dbpage;
             CREATE VIEW extension AS SELECT load_extension('/nowhere.so');
             CREATE TRIGGER sprung AFTER INSERT ON account BEGIN
                 UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1;
             END;",
        )
        .unwrap();
    let mut session = session(all, scratch, SessionMode::Write).await;
    for query in ["SELECT * FROM page", "SELECT * FROM extension"] {
        assert!(rows(&mut *session, query).await.is_err(), "{query}");
    }
    assert!(
        execute(&mut *session, "INSERT INTO account VALUES (1, 1)")
            .await
            .is_err()
    );
    drop(session);
    Connection::open(&file)
        .unwrap()
        .execute_batch(
            "CREATE TABLE trap (x CHECK (length(x) = 1));
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'length', 'load_extension') WHERE name = 'trap';",
        )
        .unwrap();
    assert!(
        all.sql()
            .open(scratch, SessionMode::Write, Vec::new())
            .await
            .is_err()
    );
}
