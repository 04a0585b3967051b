//! A database that takes the place of another.

use crate::flow::{file, pipe};
use crate::world::{World, failure, kind, names};
use rusqlite::Connection;
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, Capabilities, Receipt, SessionMode, Sink};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::{Command, Stdio};

fn world() -> World {
    let world = World {
        database_access: Access::Replace,
        ..World::new()
    };
    let backup = Connection::open(world.files().join("backup.db")).unwrap();
    backup
        .execute_batch("CREATE TABLE account (id, balance); INSERT INTO account VALUES (1, 42)")
        .unwrap();
    world
}

async fn restore(all: &dyn Capabilities, from: &str) -> Answer<Receipt> {
    all.flow()
        .move_bytes(pipe(file(from), &[]), Sink::Database("app".to_owned()))
        .await
}

fn balance(world: &World) -> i64 {
    world
        .connect()
        .query_row("SELECT sum(balance) FROM account", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_restored_database_has_owner_and_mode_of_the_old_one_and_no_old_log() {
    let world = world();
    fs::set_permissions(world.app(), fs::Permissions::from_mode(0o660)).unwrap();
    let is_root = chown(world.app(), Some(1234), Some(1235)).is_ok();
    {
        // Somebody was killed and left a log.
        let app = world.connect();
        app.execute_batch("UPDATE account SET balance = 7").unwrap();
        fs::copy(world.app().with_extension("db-wal"), world.root().join("wal")).unwrap();
        drop(app);
        fs::rename(world.root().join("wal"), world.app().with_extension("db-wal")).unwrap();
    }
    let all = world.open().await;
    restore(&*all, "backup.db").await.unwrap();
    assert_eq!(balance(&world), 42);
    let metadata = world.app().metadata().unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o660);
    if is_root {
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 1235));
    }
    assert_eq!(
        fs::read(world.app()).unwrap(),
        fs::read(world.files().join("backup.db")).unwrap()
    );
    let beside: Vec<_> = names(world.root())
        .into_iter()
        .filter(|name| name.contains("app.db"))
        .collect();
    assert_eq!(beside, ["app.db"]);
}

#[tokio::test]
async fn a_database_that_a_process_has_open_is_not_replaced() {
    let world = world();
    let before = fs::read(world.app()).unwrap();
    // An idle connection holds no lock, as this process holds none.
    let open = fs::File::open(world.app()).unwrap();
    let mut idle = Command::new("sleep")
        .arg("60")
        .stdin(open)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let all = world.open().await;
    let refused = failure(restore(&*all, "backup.db").await);
    idle.kill().unwrap();
    idle.wait().unwrap();
    assert_eq!(
        (refused.kind, refused.blame),
        (FailureKind::Conflict, Blame::Operator)
    );
    let expected = format!("process {} (`sleep`) has it open", idle.id());
    assert!(refused.message.ends_with(&expected), "{}", refused.message);
    assert_eq!(fs::read(world.app()).unwrap(), before);
    restore(&*all, "backup.db").await.unwrap();
    assert_eq!(balance(&world), 42);
}

#[tokio::test]
async fn a_database_that_a_session_of_this_host_has_open_is_not_replaced() {
    let world = world();
    let all = world.open().await;
    let session = all
        .sql()
        .open("app", SessionMode::Read, Vec::new())
        .await
        .unwrap();
    let refused = failure(restore(&*all, "backup.db").await);
    assert!(
        refused.message.ends_with("this host has it open"),
        "{}",
        refused.message
    );
    drop(session);
    assert_eq!(balance(&world), 100);
}

#[tokio::test]
async fn what_is_no_database_takes_the_place_of_none() {
    let world = world();
    fs::write(
        world.files().join("text"),
        "this is a text and by no means a database".repeat(200),
    )
    .unwrap();
    fs::write(world.files().join("empty"), "").unwrap();
    let backup = fs::read(world.files().join("backup.db")).unwrap();
    fs::write(world.files().join("cut.db"), &backup[..4096]).unwrap();
    let all = world.open().await;
    for name in ["text", "empty", "cut.db"] {
        assert_eq!(kind(restore(&*all, name).await), FailureKind::Invalid, "{name}");
    }
    assert_eq!(balance(&world), 100);
    assert!(!names(world.root()).iter().any(|name| name.ends_with(".partial")));
}

#[tokio::test]
async fn a_database_that_is_broken_or_missing_is_restored_all_the_same() {
    let world = world();
    fs::write(world.app(), "no database any more").unwrap();
    let all = world.open().await;
    restore(&*all, "backup.db").await.unwrap();
    assert_eq!(balance(&world), 42);
    fs::remove_file(world.app()).unwrap();
    restore(&*all, "backup.db").await.unwrap();
    assert_eq!(balance(&world), 42);
}

#[tokio::test]
async fn a_restore_needs_its_own_grant_and_a_dry_run_changes_nothing() {
    let world = World {
        database_access: Access::Write,
        ..world()
    };
    let all = world.open().await;
    assert_eq!(kind(restore(&*all, "backup.db").await), FailureKind::Denied);

    let world = World {
        dry_run: true,
        ..self::world()
    };
    let all = world.open().await;
    restore(&*all, "backup.db").await.unwrap();
    assert_eq!(balance(&world), 100);
    assert_eq!(kind(all.sql().describe("app").await), FailureKind::Planned);
    // A scratch is no change.
    assert!(all.sql().scratch("app").await.is_ok());
}

#[tokio::test]
async fn a_scratch_takes_a_backup_even_in_a_dry_run() {
    let world = World {
        dry_run: true,
        ..world()
    };
    let all = world.open().await;
    let scratch = all.sql().scratch("app").await.unwrap();
    let sink = Sink::Database(scratch.clone());
    all.flow()
        .move_bytes(pipe(file("backup.db"), &[]), sink)
        .await
        .unwrap();
    assert!(
        all.sql()
            .schema(&scratch)
            .await
            .unwrap()
            .contains("create table account")
    );
}
