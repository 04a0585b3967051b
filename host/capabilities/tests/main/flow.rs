//! Bytes that arrive whole or not at all.

use crate::world::{World, kind, names};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Capabilities, IfExists, Pipe, Receipt, Sink, Source, Stage};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

pub(crate) fn pipe(source: Source, stages: &[Stage]) -> Pipe {
    Pipe {
        source,
        stages: stages.to_vec(),
        expect: None,
    }
}

pub(crate) fn file(path: &str) -> Source {
    Source::File {
        directory: "files".to_owned(),
        path: path.to_owned(),
    }
}

pub(crate) fn to_file(path: &str, if_exists: IfExists) -> Sink {
    Sink::File {
        directory: "files".to_owned(),
        path: path.to_owned(),
        if_exists,
        mode: None,
    }
}

pub(crate) async fn back_up(all: &dyn Capabilities, stages: &[Stage], to: &str) -> Answer<Receipt> {
    let pipe = pipe(Source::Database("app".to_owned()), stages);
    all.flow().move_bytes(pipe, to_file(to, IfExists::Fail)).await
}

#[tokio::test]
async fn the_digests_are_those_of_the_bytes_at_both_ends() {
    let world = World::new();
    let content = vec![b'x'; 5 << 20];
    fs::write(world.files().join("a"), &content).unwrap();
    let all = world.open().await;
    let packed = all
        .flow()
        .move_bytes(
            pipe(file("a"), &[Stage::CompressZstd(3)]),
            to_file("a.zst", IfExists::Fail),
        )
        .await
        .unwrap();
    let stored = fs::read(world.files().join("a.zst")).unwrap();
    assert_eq!(packed.source_digest, Digest::of(&content).to_string());
    assert_eq!(packed.sink_digest, Digest::of(&stored).to_string());
    assert_eq!(
        (packed.bytes_read, packed.bytes_written),
        (content.len() as u64, stored.len() as u64)
    );

    let unpacked = Pipe {
        expect: packed.source_digest.parse().ok(),
        ..pipe(file("a.zst"), &[Stage::DecompressZstd])
    };
    let receipt = all
        .flow()
        .move_bytes(unpacked, to_file("b", IfExists::Fail))
        .await
        .unwrap();
    assert_eq!(receipt.sink_digest, packed.source_digest);
    assert_eq!(fs::read(world.files().join("b")).unwrap(), content);
    let mode = world.files().join("b").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn bytes_that_are_not_as_expected_leave_nothing_behind() {
    let world = World::new();
    let packed = zstd::encode_all(&b"content"[..], 3).unwrap();
    fs::write(world.files().join("cut.zst"), &packed[..packed.len() - 3]).unwrap();
    fs::write(world.files().join("plain"), b"plain").unwrap();
    let all = world.open().await;
    let expecting = Pipe {
        expect: Some(Digest::of(b"other")),
        ..pipe(file("plain"), &[])
    };
    let answers = [
        (expecting, FailureKind::Conflict),
        (
            pipe(file("cut.zst"), &[Stage::DecompressZstd]),
            FailureKind::Invalid,
        ),
        (
            pipe(file("plain"), &[Stage::DecompressZstd]),
            FailureKind::Invalid,
        ),
        (pipe(file("missing"), &[]), FailureKind::NotFound),
    ];
    for (pipe, expected) in answers {
        let shown = format!("{pipe:?}");
        let moved = all.flow().move_bytes(pipe, to_file("new", IfExists::Fail)).await;
        assert_eq!(kind(moved), expected, "{shown}");
    }
    assert_eq!(names(&world.files()), ["cut.zst", "plain"]);
}

#[tokio::test]
async fn stages_that_would_take_much_memory_are_refused() {
    let world = World::new();
    let wide = || {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
        encoder.window_log(27)?;
        encoder.write_all(b"content")?;
        // Otherwise all is known to be small.
        encoder.flush()?;
        encoder.finish()
    };
    fs::write(world.files().join("wide.zst"), wide().unwrap()).unwrap();
    fs::write(world.files().join("plain"), b"plain").unwrap();
    let all = world.open().await;
    let both = [Stage::CompressZstd(19), Stage::DecompressZstd];
    let moved = all.flow().move_bytes(pipe(file("plain"), &both), Sink::Nothing);
    assert_eq!(moved.await.unwrap().sink_digest, Digest::of(b"plain").to_string());

    for stages in [
        &[Stage::CompressZstd(0)][..],
        &[Stage::CompressZstd(20)],
        &[Stage::CompressZstd(1), Stage::CompressZstd(2)],
        &[
            Stage::DecompressZstd,
            Stage::CompressZstd(1),
            Stage::DecompressZstd,
        ],
    ] {
        let moved = all.flow().move_bytes(pipe(file("plain"), stages), Sink::Nothing);
        assert_eq!(kind(moved.await), FailureKind::Invalid, "{stages:?}");
    }
    let moved = all
        .flow()
        .move_bytes(pipe(file("wide.zst"), &[Stage::DecompressZstd]), Sink::Nothing);
    let refused = moved.await.unwrap_err();
    assert!(
        refused.hint.as_ref().is_some_and(|hint| hint.contains("--long")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_cancelled_flow_leaves_nothing_behind() {
    let world = World::new();
    let huge = fs::File::create(world.files().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let all = world.open().await;
    let cancel = world.cancel.clone();
    let stages = [Stage::CompressZstd(1)];
    let moving = all
        .flow()
        .move_bytes(pipe(file("huge"), &stages), to_file("new", IfExists::Fail));
    let cancelling = async {
        // Once there is something that could be left behind.
        while names(&world.files()).len() < 2 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (moved, ()) = tokio::join!(moving, cancelling);
    assert_eq!(kind(moved), FailureKind::Cancelled);
    assert_eq!(names(&world.files()), ["huge"]);
}

#[tokio::test]
async fn an_attempt_settles_only_after_a_flow_that_nobody_waits_for() {
    let world = World::new();
    let huge = fs::File::create(world.files().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let all = world.open().await;
    let stages = [Stage::CompressZstd(1)];
    let moving = all
        .flow()
        .move_bytes(pipe(file("huge"), &stages), to_file("new", IfExists::Fail));
    let begun = async {
        while names(&world.files()).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        moved = moving => panic!("it is too large to be moved: {moved:?}"),
        () = begun => {}
    }
    all.settle().await;
    assert_eq!(names(&world.files()), ["huge"]);
}

#[tokio::test]
async fn a_file_that_is_there_stays_or_is_replaced_with_its_mode() {
    let world = World::new();
    let path = world.files().join("a");
    fs::write(&path, b"old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let all = world.open().await;
    let content = || pipe(Source::Bytes(b"new".to_vec()), &[]);
    let refused = all
        .flow()
        .move_bytes(content(), to_file("a", IfExists::Fail))
        .await;
    assert_eq!(kind(refused), FailureKind::Conflict);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    all.flow()
        .move_bytes(content(), to_file("a", IfExists::Replace))
        .await
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(names(&world.files()), ["a"]);
}

#[tokio::test]
async fn a_tree_becomes_an_archive_with_modes_and_links_in_the_order_of_names() {
    let world = World::new();
    let tree = world.files().join("tree");
    let long = "n".repeat(120);
    fs::create_dir_all(tree.join("b")).unwrap();
    fs::write(tree.join("b").join(&long), vec![7; 1000]).unwrap();
    fs::write(tree.join("c ü"), b"c").unwrap();
    fs::write(tree.join("a"), b"").unwrap();
    fs::write(tree.join("z.tmp"), b"left out").unwrap();
    fs::set_permissions(tree.join("a"), fs::Permissions::from_mode(0o741)).unwrap();
    symlink("/etc/passwd", tree.join("link")).unwrap();
    let all = world.open().await;
    let source = Source::Tree {
        directory: "files".to_owned(),
        path: "tree".to_owned(),
        include: Vec::new(),
        exclude: vec!["*.tmp".to_owned()],
    };
    all.flow()
        .move_bytes(pipe(source, &[]), to_file("tree.tar", IfExists::Fail))
        .await
        .unwrap();

    let mut archive = tar::Archive::new(fs::File::open(world.files().join("tree.tar")).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let link = entry.link_name().unwrap().map(|link| link.display().to_string());
        (entry.path().unwrap().display().to_string(), content.len(), link)
    });
    let entries: Vec<_> = entries.collect();
    assert_eq!(
        entries,
        [
            ("a".to_owned(), 0, None),
            ("b/".to_owned(), 0, None),
            (format!("b/{long}"), 1000, None),
            ("c ü".to_owned(), 1, None),
            ("link".to_owned(), 0, Some("/etc/passwd".to_owned())),
        ]
    );
    let mut archive = tar::Archive::new(fs::File::open(world.files().join("tree.tar")).unwrap());
    let first = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(first.header().mode().unwrap(), 0o741);
}

#[tokio::test]
async fn a_dry_run_moves_into_nothing_and_what_it_pretended_to_write_cannot_be_read() {
    let world = World {
        dry_run: true,
        ..World::new()
    };
    let all = world.open().await;
    let receipt = back_up(&*all, &[Stage::CompressZstd(3)], "a.db.zst")
        .await
        .unwrap();
    assert!(receipt.bytes_written > 0);
    assert_eq!(names(&world.files()), [""; 0]);
    let read = all
        .flow()
        .move_bytes(pipe(file("a.db.zst"), &[]), Sink::Nothing)
        .await;
    assert_eq!(kind(read), FailureKind::Planned);
    assert_eq!(
        kind(all.files().stat("files", "a.db.zst").await),
        FailureKind::Planned
    );
    let planned = Note::Planned {
        call: "flow.to-file".to_owned(),
        object: "directories.files/a.db.zst".to_owned(),
    };
    assert_eq!(world.notes().await, [planned]);
}

#[tokio::test]
async fn nothing_is_written_where_only_reading_is_granted() {
    let world = World {
        directory_access: Access::Read,
        ..World::new()
    };
    let all = world.open().await;
    assert_eq!(kind(back_up(&*all, &[], "a.db").await), FailureKind::Denied);
    assert_eq!(names(&world.files()), [""; 0]);
}

#[tokio::test]
async fn progress_is_shown_under_the_step_that_is_open() {
    let world = World::new();
    let huge = fs::File::create(world.files().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let all = world.open().await;
    let step = all.journal().begin("copy").await.unwrap();
    let cancel = world.cancel.clone();
    let moving = all.flow().move_bytes(pipe(file("huge"), &[]), Sink::Nothing);
    let waiting = async {
        let is_progress = |note: &Note| matches!(note, Note::StepProgress { name, done, .. } if name == "copy" && *done > 0);
        while !world.notes().await.iter().any(is_progress) {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (moved, ()) = tokio::join!(moving, waiting);
    assert_eq!(kind(moved), FailureKind::Cancelled);
    drop(step);
}
