//! Files in a directory, one at a time.

use crate::world::{World, failure, kind, names};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Capabilities, Meta, Pairs};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

pub(crate) async fn walk(
    all: &dyn Capabilities,
    include: &[&str],
    exclude: &[&str],
    options: &[(&str, &str)],
) -> Answer<Vec<Meta>> {
    let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect();
    let options: Pairs = options
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut inventory = all
        .files()
        .walk("files", "", owned(include), owned(exclude), options)
        .await?;
    let mut found = Vec::new();
    loop {
        let page = inventory.next(2).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

#[tokio::test]
async fn walks_under_way_at_once_are_few_and_their_globs_short() {
    let world = World::new();
    let all = world.open().await;
    let walk = |exclude: Vec<String>| all.files().walk("files", "", Vec::new(), exclude, Vec::new());
    let mut inventories = Vec::new();
    for _ in 0..4 {
        inventories.push(walk(Vec::new()).await.unwrap());
    }
    assert_eq!(kind(walk(Vec::new()).await.map(drop)), FailureKind::Limit);
    inventories.pop();
    assert!(walk(Vec::new()).await.is_ok());
    let long = vec!["x".repeat(1_000); 9];
    assert_eq!(kind(walk(long).await.map(drop)), FailureKind::Invalid);
}

#[tokio::test]
async fn a_walk_goes_in_the_order_of_names_and_tells_what_was_asked_for() {
    let world = World::new();
    fs::create_dir_all(world.files().join("b/c")).unwrap();
    for path in ["b/z.db", "b/c/deep.db", "a.txt", "b.db"] {
        fs::write(world.files().join(path), path).unwrap();
    }
    let all = world.open().await;
    let paths = |found: Vec<Meta>| found.into_iter().map(|meta| meta.path).collect::<Vec<_>>();
    let found = walk(&*all, &[], &[], &[]).await.unwrap();
    assert_eq!(
        paths(found),
        ["a.txt", "b", "b/c", "b/c/deep.db", "b/z.db", "b.db"]
    );
    let found = walk(&*all, &["*.db"], &[], &[]).await.unwrap();
    assert_eq!(paths(found), ["b.db"]);
    let found = walk(&*all, &["**/*.db"], &["b/c"], &[]).await.unwrap();
    assert_eq!(paths(found), ["b/z.db", "b.db"]);
    let found = walk(&*all, &[], &[], &[("depth-max", "1")]).await.unwrap();
    assert_eq!(paths(found), ["a.txt", "b", "b.db"]);
    let found = walk(&*all, &[], &[], &[("modified-before", "2001-01-01T00:00:00Z")])
        .await
        .unwrap();
    assert_eq!(paths(found), [""; 0]);

    let found = walk(
        &*all,
        &["**/*.db"],
        &[],
        &[("digest", "sha256"), ("head-bytes", "3")],
    )
    .await
    .unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|meta| (meta.head.as_slice(), meta.digest.clone().unwrap()))
        .collect();
    let expected =
        ["b/c/deep.db", "b/z.db", "b.db"].map(|path| (&path.as_bytes()[..3], Digest::of(path).to_string()));
    assert_eq!(told, expected);
    assert_eq!(
        kind(walk(&*all, &[], &[], &[("colour", "red")]).await),
        FailureKind::Invalid
    );
    assert_eq!(kind(walk(&*all, &["a{"], &[], &[]).await), FailureKind::Invalid);
}

#[tokio::test]
async fn a_replaced_file_keeps_owner_and_mode_and_has_to_be_what_was_expected() {
    let world = World::new();
    let path = world.files().join(".env");
    fs::write(&path, "A=1").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let is_root = chown(&path, Some(1234), Some(1235)).is_ok();
    let all = world.open().await;
    let files = all.files();
    let replace = |content: &str, expected: &str| {
        files.replace(
            "files",
            ".env",
            content.as_bytes().to_vec(),
            Some(expected.to_owned()),
            None,
        )
    };
    assert_eq!(
        kind(replace("A=2", &Digest::of("A=0").to_string()).await),
        FailureKind::Conflict
    );
    assert_eq!(kind(replace("A=2", "").await), FailureKind::Conflict);
    assert_eq!(fs::read(&path).unwrap(), b"A=1");
    replace("A=2", &Digest::of("A=1").to_string()).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"A=2");
    let metadata = path.metadata().unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o640);
    if is_root {
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 1235));
    }
    files
        .replace("files", "new", b"x".to_vec(), Some(String::new()), Some(0o644))
        .await
        .unwrap();
    assert_eq!(
        world.files().join("new").metadata().unwrap().mode() & 0o777,
        0o644
    );
    assert_eq!(names(&world.files()), [".env", "new"]);
}

#[tokio::test]
async fn single_changes_do_what_they_say_and_no_more() {
    let world = World::new();
    fs::write(world.files().join("a"), "12345").unwrap();
    fs::write(world.files().join("b"), "b").unwrap();
    let all = world.open().await;
    let files = all.files();
    assert_eq!(kind(files.rename("files", "a", "b").await), FailureKind::Conflict);
    files.make_directory("files", "d", Some(0o755)).await.unwrap();
    assert_eq!(
        kind(files.make_directory("files", "d", None).await),
        FailureKind::Conflict
    );
    files.rename("files", "a", "d/a").await.unwrap();
    assert_eq!(kind(files.remove("files", "d").await), FailureKind::Conflict);
    files.truncate("files", "d/a", 2).await.unwrap();
    assert_eq!(
        kind(files.truncate("files", "d/a", 9).await),
        FailureKind::Invalid
    );
    assert_eq!(fs::read(world.files().join("d/a")).unwrap(), b"12");
    files.set_mode("files", "d/a", 0o400).await.unwrap();
    assert_eq!(
        kind(files.set_mode("files", "d/a", 0o4755).await),
        FailureKind::Invalid
    );
    assert_eq!(files.stat("files", "d/a").await.unwrap().mode, 0o400);
    assert_eq!(files.stat("files", "").await.unwrap().kind, "directory");
    files.remove("files", "d/a").await.unwrap();
    files.remove("files", "d").await.unwrap();
    assert_eq!(names(&world.files()), ["b"]);
    assert_eq!(kind(files.remove("files", "d").await), FailureKind::NotFound);
}

#[tokio::test]
async fn a_change_is_on_record_before_it_happens_and_so_is_its_failure() {
    let world = World::new();
    let all = world.open().await;
    let failed = failure(all.files().remove("files", "missing").await);
    let (call, object) = ("files.remove".to_owned(), "directories.files/missing".to_owned());
    assert_eq!(
        world.notes().await,
        [
            Note::Change {
                call: call.clone(),
                object: object.clone()
            },
            Note::ChangeFailed {
                call,
                object,
                failure: failed
            },
        ]
    );
}

#[tokio::test]
async fn a_dry_run_and_a_grant_to_read_change_nothing() {
    let worlds = [
        World {
            dry_run: true,
            ..World::new()
        },
        World {
            directory_access: Access::Read,
            ..World::new()
        },
    ];
    for world in worlds {
        fs::write(world.files().join("a"), "a").unwrap();
        let all = world.open().await;
        let files = all.files();
        let answers = [
            files.replace("files", "a", b"new".to_vec(), None, None).await,
            files.rename("files", "a", "b").await,
            files.truncate("files", "a", 0).await,
            files.remove("files", "a").await,
            files.make_directory("files", "d", None).await,
            files.set_mode("files", "a", 0o777).await,
        ];
        assert_eq!(fs::read(world.files().join("a")).unwrap(), b"a");
        assert_eq!(names(&world.files()), ["a"]);
        for answer in answers {
            assert_eq!(answer.is_ok(), world.dry_run);
        }
        let planned = world
            .notes()
            .await
            .into_iter()
            .filter(|note| matches!(note, Note::Planned { .. }));
        assert_eq!(planned.count(), if world.dry_run { 6 } else { 0 });
    }
}

#[tokio::test]
async fn a_pipe_or_a_directory_is_read_as_no_file() {
    let world = World::new();
    let pipe = world.files().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    let all = world.open().await;
    for path in ["pipe", ""] {
        assert_eq!(
            kind(all.files().read("files", path, 0, 1).await),
            FailureKind::Invalid,
            "{path}"
        );
        assert_eq!(
            kind(all.files().digest("files", path).await),
            FailureKind::Invalid,
            "{path}"
        );
    }
    assert_eq!(
        kind(all.files().truncate("files", "pipe", 0).await),
        FailureKind::Invalid
    );
}

#[tokio::test]
async fn the_guest_sees_only_the_directories_that_are_granted() {
    let world = World::new();
    let preopens = world.open().await.preopens();
    assert_eq!(preopens.len(), 1);
    assert_eq!(
        (preopens[0].name.as_str(), preopens[0].path.clone()),
        ("files", world.files())
    );
}
