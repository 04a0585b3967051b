//! What a guest can do to files through WASI: read plain ones in granted directories, and no more.

use crate::capabilities::Notes;
use crate::guests::fixture;
use crate::stage::{POOLING, bounds, call, limits, load};
use serde_json::json;
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::limits::Limits;
use sopwith_core::port::Ended;
use sopwith_core::port::capabilities::Preopen;
use sopwith_core::run::Verdict;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A granted directory `data`, and what lies beside it.
struct World {
    parent: TempDir,
    notes: Arc<Notes>,
}

impl World {
    fn new() -> Self {
        let parent = tempfile::tempdir().expect("a directory");
        let path = |name: &str| parent.path().join(name);
        for folder in ["data/inner", "outside"] {
            fs::create_dir_all(path(folder)).expect("a directory");
        }
        fs::write(path("outside/secret"), "secret").expect("a file");
        fs::write(path("data/large"), "x".repeat(200_000)).expect("a file");
        for (target, link) in [
            ("../outside/secret", "link-to-file"),
            ("../outside", "link-to-directory"),
            ("/", "link-to-root"),
            ("link-to-file", "link-to-link"),
            ("../..", "inner/link-up"),
            ("/proc/self/root/etc/passwd", "link-to-proc"),
        ] {
            symlink(target, path("data").join(link)).expect("a link");
        }
        let notes = Arc::new(Notes {
            preopens: vec![Preopen {
                name: "data".to_owned(),
                path: path("data"),
            }],
            ..Notes::default()
        });
        Self { parent, notes }
    }

    async fn run(&self, action: &str, limits: Limits) -> Ended {
        let plugin = load(POOLING, fixture("hostile")).await;
        let call = sopwith_core::port::Call {
            settings: json!({ "directory": "data" }),
            ..call(action, json!({}))
        };
        plugin
            .run(call, Arc::clone(&self.notes) as _, bounds(limits))
            .await
    }

    /// Everything that was tried was refused.
    async fn withstands(&self, action: &str) {
        let ended = self.run(action, limits()).await;
        let report = ended.result.expect("a report");
        assert_eq!(report.verdict, Verdict::Ok, "{:#}", report.output);
    }
}

#[tokio::test]
async fn no_path_leads_out_of_a_granted_directory() {
    World::new().withstands("leave-the-directory").await;
}

#[tokio::test]
async fn nothing_is_changed_through_wasi() {
    let world = World::new();
    world.withstands("change").await;
    let large = fs::read(world.parent.path().join("data/large")).expect("the file");
    assert_eq!(large.len(), 200_000);
}

#[tokio::test]
async fn pipe_or_device_is_not_opened_and_keeps_no_thread_waiting() {
    let world = World::new();
    let data = world.parent.path().join("data");
    rustix::fs::mkfifoat(rustix::fs::CWD, data.join("pipe"), rustix::fs::Mode::RUSR).expect("a pipe");
    // Whoever waits for a writer would keep this runtime from ending.
    world.withstands("pipe").await;
    symlink("pipe", data.join("device")).expect("a link");
    world.withstands("device").await;
}

#[tokio::test]
async fn link_that_is_swapped_all_the_while_leads_nowhere_outside() {
    let world = World::new();
    let data = world.parent.path().join("data");
    fs::create_dir(data.join("real")).expect("a directory");
    fs::write(data.join("real/secret"), "inner").expect("a file");
    let ended = Arc::new(AtomicBool::new(false));
    let swapper = {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            while !ended.load(Relaxed) {
                for (file, directory) in [("../outside/secret", "../outside"), ("large", "real")] {
                    for (target, name) in [(file, "swapped"), (directory, "swapped-directory")] {
                        let beside = data.join("beside");
                        symlink(target, &beside).expect("a link");
                        fs::rename(&beside, data.join(name)).expect("a rename");
                    }
                }
            }
        })
    };
    world.withstands("race").await;
    ended.store(true, Relaxed);
    swapper.join().expect("the thread that swaps");
}

#[tokio::test]
async fn files_that_are_open_at_once_are_few_and_each_is_closed_by_its_granter() {
    let world = World::new();
    let failure = world
        .run("open-many", limits())
        .await
        .result
        .expect_err("a failure");
    assert_eq!((failure.kind, failure.blame), (FailureKind::Limit, Blame::Plugin));
    assert!(failure.message.contains("64 files open at once"), "{failure}");
    assert_eq!(world.notes.closed.load(Relaxed), 64);
}

#[tokio::test]
async fn bytes_that_are_read_ahead_count_as_memory() {
    let limits = Limits {
        memory_bytes: 8 << 20,
        ..limits()
    };
    let failure = World::new()
        .run("streams", limits)
        .await
        .result
        .expect_err("a failure");
    assert!(
        failure.extra.contains(&("limit".to_owned(), "memory".to_owned())),
        "{failure:?}"
    );
}

#[tokio::test]
async fn calls_of_wasi_are_counted() {
    for action in ["looks", "clock", "polls"] {
        let world = World::new();
        let mut notes = Notes {
            calls_max: Some(1_000),
            ..Notes::default()
        };
        notes.preopens.clone_from(&world.notes.preopens);
        let world = World {
            notes: Arc::new(notes),
            ..world
        };
        let limits = Limits {
            timeout: Duration::from_mins(1),
            ..limits()
        };
        let failure = world.run(action, limits).await.result.expect_err("a failure");
        assert!(
            failure.extra.contains(&("limit".to_owned(), "calls".to_owned())),
            "{action}: {failure:?}"
        );
    }
}
