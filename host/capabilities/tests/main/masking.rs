//! What a guest gets of a value that lay about before anybody knew that it is a secret.

use crate::commands::{changes, shell, with_blank};
use crate::secrets::{name, world};
use crate::world::{World, execute, failure, rows, session};
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{SessionMode, SqlValue};
use sopwith_core::secret::SecretStore;

const VALUE: &str = "tok\"en-1234";

/// A world with a value in its state, a file and a database, which becomes a secret only then.
async fn littered() -> World {
    let mut world = world(SecretStore::File { path: "/".into() });
    let path = world.root().join("token");
    std::fs::write(&path, VALUE).unwrap();
    let mut secret = world.secrets.remove(&name()).unwrap();
    world
        .open()
        .await
        .state()
        .set("said", said().into_bytes(), None)
        .await
        .unwrap();
    std::fs::write(world.files().join("said"), said()).unwrap();
    let app = world.connect();
    let ddl = format!("CREATE TABLE said (word TEXT DEFAULT '{VALUE}', bytes BLOB)");
    app.execute_batch(&ddl).unwrap();
    app.execute("INSERT INTO said VALUES (?1, ?2)", (said(), said().into_bytes()))
        .unwrap();
    secret.store = SecretStore::File { path };
    world.secrets = [(name(), secret)].into();
    world
}

fn said() -> String {
    format!("it is {VALUE}, as JSON \"tok\\\"en-1234\", as base64 dG9rImVuLTEyMzQ=!")
}

/// The text with as many `*` as there were bytes.
fn covered() -> String {
    let stars = "***********";
    format!("it is {stars}, as JSON \"{stars}*\", as base64 ****************!")
}

fn masked() -> String {
    "it is [redacted], as JSON \"[redacted]\", as base64 [redacted]!".to_owned()
}

#[tokio::test]
async fn what_a_guest_kept_or_reads_is_masked_once_it_is_a_secret() {
    let world = littered().await;
    let all = world.open().await;
    let kept = all.state().get("said").await.unwrap().unwrap();
    assert_eq!(String::from_utf8(kept.value).unwrap(), masked());

    let mut session = session(&*all, "app", SessionMode::Read).await;
    let found = rows(&mut *session, "SELECT word, bytes FROM said").await.unwrap();
    assert_eq!(
        found,
        [[SqlValue::Text(masked()), SqlValue::Blob(masked().into_bytes())]]
    );
    assert!(!session.schema().await.unwrap().contains("en-1234"));
}

#[tokio::test]
async fn a_file_is_covered_wherever_it_is_read_and_keeps_its_length() {
    let world = littered().await;
    let all = world.open().await;
    let whole = all.files().read("files", "said", 0, 1 << 20).await.unwrap();
    assert_eq!(String::from_utf8(whole).unwrap(), covered());
    for at in 0..=said().len() as u64 {
        let part = all.files().read("files", "said", at, 3).await.unwrap();
        let end = covered().len().min(usize::try_from(at).unwrap() + 3);
        assert_eq!(
            part,
            covered().as_bytes()[usize::try_from(at).unwrap()..end],
            "{at}"
        );
    }
    for head in [0, 7, 12, 1000] {
        let options = vec![("head-bytes".to_owned(), head.to_string())];
        let walk = all
            .files()
            .walk("files", "", Vec::new(), Vec::new(), options)
            .await;
        let entries = walk.unwrap().next(10).await.unwrap();
        assert_eq!(entries[0].head, covered().as_bytes()[..covered().len().min(head)]);
    }
    let nothing = all.files().read("files", "said", u64::MAX, 3).await.unwrap();
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn a_failure_that_quotes_a_secret_is_masked() {
    let world = littered().await;
    let all = world.open().await;
    let failure = failure(all.files().read("files", VALUE, 0, 1).await);
    assert!(failure.message.contains("`[redacted]`"), "{failure:?}");
}

#[tokio::test]
async fn a_secret_that_is_cut_through_where_a_text_is_shortened_is_masked_first() {
    let world = World {
        database_access: Access::Write,
        write_tables: vec!["account"],
        commands: [("it".parse().unwrap(), changes(with_blank(shell("true"), ".*")))].into(),
        ..World::new()
    };
    let all = world.open().await;
    all.journal().redact("hush-hush-hush");
    let said = |before: usize| format!("{}hush-hush-hush", "x".repeat(before));
    let blank = |value| vec![("x".to_owned(), value)];

    let mut step = all.journal().begin("step").await.unwrap();
    step.progress(1, None, &said(10)).await;
    step.fail(Failure::invalid(said(4090)).hint(said(4090))).await;
    all.commands()
        .run("it", blank(said(195)), Vec::new())
        .await
        .unwrap();
    let mut session = session(&*all, "app", SessionMode::Write).await;
    let statement = format!("UPDATE account SET id = id -- {}", said(165));
    execute(&mut *session, &statement).await.unwrap();
    let notes = world.notes().await;
    assert!(
        notes.len() >= 4 && !format!("{notes:?}").contains("hush"),
        "{notes:?}"
    );

    let refused = failure(all.commands().run("it", blank(said(75) + "\n"), Vec::new()).await);
    assert!(!refused.message.contains("hush"), "{refused}");
}
