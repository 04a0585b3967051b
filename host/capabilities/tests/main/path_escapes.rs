//! Paths that try to leave their directory.

use crate::files::walk;
use crate::world::{World, kind, names};
use sopwith_core::failure::FailureKind;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A world with a secret beside its directory, and links that lead there.
fn with_links() -> World {
    let world = World::new();
    fs::create_dir(world.root().join("outside")).unwrap();
    fs::write(world.root().join("outside/secret"), "secret").unwrap();
    symlink("../outside", world.files().join("to-directory")).unwrap();
    symlink("../outside/secret", world.files().join("to-file")).unwrap();
    symlink(
        world.root().join("outside/secret"),
        world.files().join("absolute"),
    )
    .unwrap();
    world
}

#[tokio::test]
async fn no_path_reads_outside_of_its_directory() {
    let world = with_links();
    let all = world.open().await;
    for path in [
        "../outside/secret",
        "/etc/passwd",
        "a/../../outside/secret",
        "..",
        "./../outside/secret",
    ] {
        assert_eq!(
            kind(all.files().read("files", path, 0, 10).await),
            FailureKind::Invalid,
            "{path}"
        );
        assert_eq!(
            kind(all.files().stat("files", path).await),
            FailureKind::Invalid,
            "{path}"
        );
    }
    for path in ["to-file", "absolute", "to-directory/secret"] {
        assert_eq!(
            kind(all.files().read("files", path, 0, 10).await),
            FailureKind::Denied,
            "{path}"
        );
        assert_eq!(
            kind(all.files().digest("files", path).await),
            FailureKind::Denied,
            "{path}"
        );
    }
    assert_eq!(
        kind(all.files().stat("files", "to-directory/secret").await),
        FailureKind::Denied
    );
    let listed = walk(&*all, &[], &[], &[("digest", "sha256")]).await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|meta| (meta.path.as_str(), meta.kind.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("absolute", "link"),
            ("to-directory", "link"),
            ("to-file", "link")
        ]
    );
}

#[tokio::test]
async fn no_path_writes_outside_of_its_directory() {
    let world = with_links();
    let all = world.open().await;
    let files = all.files();
    for path in [
        "../outside/secret",
        "/tmp/x",
        "to-directory/secret",
        "to-directory/new",
    ] {
        assert!(
            files
                .replace("files", path, Vec::new(), None, None)
                .await
                .is_err(),
            "{path}"
        );
        assert!(files.remove("files", path).await.is_err(), "{path}");
        assert!(files.truncate("files", path, 0).await.is_err(), "{path}");
        assert!(files.set_mode("files", path, 0o777).await.is_err(), "{path}");
        assert!(files.make_directory("files", path, None).await.is_err(), "{path}");
        assert!(files.rename("files", "to-file", path).await.is_err(), "{path}");
    }
    // A link itself may be changed, but not what it leads to.
    assert!(files.truncate("files", "to-file", 0).await.is_err());
    assert!(files.set_mode("files", "to-file", 0o777).await.is_err());
    files
        .replace("files", "to-file", b"mine".to_vec(), None, None)
        .await
        .unwrap();
    files.remove("files", "absolute").await.unwrap();
    assert_eq!(fs::read(world.root().join("outside/secret")).unwrap(), b"secret");
    assert_eq!(names(&world.root().join("outside")), ["secret"]);
}

#[tokio::test]
async fn a_link_that_stays_within_is_followed_to_read() {
    let world = World::new();
    fs::write(world.files().join("new"), "new").unwrap();
    symlink("new", world.files().join("latest")).unwrap();
    let all = world.open().await;
    assert_eq!(all.files().read("files", "latest", 1, 10).await.unwrap(), b"ew");
    let link = all.files().stat("files", "latest").await.unwrap();
    assert_eq!(
        (link.kind.as_str(), &link.extra[0]),
        ("link", &("link-target".to_owned(), "new".to_owned()))
    );
}

/// Somebody swaps a directory for a link to the outside, again and again.
#[tokio::test]
async fn a_directory_that_is_swapped_for_a_link_lets_nobody_out() {
    let world = World::new();
    let (inside, outside) = (world.files().join("swapped"), world.root().join("outside"));
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a"), "secret").unwrap();
    fs::create_dir(world.files().join("real")).unwrap();
    fs::write(world.files().join("real/a"), "mine").unwrap();
    symlink(&outside, world.files().join("link")).unwrap();
    fs::rename(world.files().join("real"), &inside).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (told, files) = (Arc::clone(&stop), world.files());
    let swapper = std::thread::spawn(move || {
        while !told.load(Relaxed) {
            fs::rename(files.join("swapped"), files.join("real")).unwrap();
            fs::rename(files.join("link"), files.join("swapped")).unwrap();
            fs::rename(files.join("swapped"), files.join("link")).unwrap();
            fs::rename(files.join("real"), files.join("swapped")).unwrap();
        }
    });
    let all = world.open().await;
    let mut reads = 0;
    for _ in 0..300 {
        if let Ok(content) = all.files().read("files", "swapped/a", 0, 10).await {
            assert_eq!(content, b"mine");
            reads += 1;
        }
        let _ = all
            .files()
            .replace("files", "swapped/a", b"mine".to_vec(), None, None)
            .await;
        let _ = all.files().remove("files", "swapped/b").await;
    }
    stop.store(true, Relaxed);
    swapper.join().unwrap();
    assert!(reads > 0);
    assert_eq!(fs::read(outside.join("a")).unwrap(), b"secret");
    assert_eq!(names(&outside), ["a"]);
}
