//! Paths of every kind in a directory full of links: what is opened lies beneath it, and nothing beside it changes.

use crate::world::World;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Capabilities, IfExists, Meta, Pairs, Pipe, Sink, Source};
use sopwith_fuzz::{Parts, Target, edited};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// What is repeated by an edit is tried so often at most.
const CALLS_MAX: usize = 30;

/// The content of files beneath the directory, and of one that a guest wrote.
const INSIDE: &str = "inside";
const WRITTEN: &[u8] = b"written";
/// The content of what lies beside it has this length, which nothing else has.
const OUTSIDE_BYTES: usize = 54_321;

/// Names of which paths are made; `{root}` stands for the way from the root of the system to where the directory lies.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "a", "b", "c", "d", "e", "..", "..", ".", "", "outside", "secret", "files", "{root}", "...", "..a", "a ",
    "\u{0}", "\\", "a\\..\\b", "ä", "%2e%2e", "~",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "\u{1b}[2J", ".\u{200b}.",
];

#[rustfmt::skip]
const LINK_TARGETS: &[&str] = &[
    "..", "../outside", "../outside/secret", "../../{root}/outside", "/{root}/outside",
    "/{root}/outside/secret", "/", "/proc/self/root", "/proc/self/cwd", "a", "b", "c", "d", "d/..", "d/../..",
    "d/../../outside", ".", "./.././files/a", "e/e/e", "../files/../outside/secret",
];

#[rustfmt::skip]
const CALLS: &[&str] = &[
    "stat", "digest", "read", "replace", "rename", "truncate", "remove", "make-directory", "set-mode", "walk",
    "from-file", "from-tree", "to-file", "check",
];

fn path() -> impl Strategy<Value = String> {
    let usual = vec(select(vec!["a", "b", "c", "d", "e"]), 1..4).prop_map(|names| names.join("/"));
    let any = vec(select(NAMES), 0..7).prop_map(|names| names.join("/"));
    let deep = (select(NAMES), 1..600_usize).prop_map(|(name, times)| vec![name; times].join("/"));
    prop_oneof![6 => usual, 6 => any, 1 => deep]
}

fn cases(kept: &[Parts]) -> impl Strategy<Value = Parts> + use<> {
    let entry = prop_oneof![
        3 => path().prop_map(|path| format!("file {path}")),
        3 => path().prop_map(|path| format!("directory {path}")),
        6 => (path(), select(LINK_TARGETS)).prop_map(|(path, to)| format!("link {path} -> {to}")),
    ];
    let call = (select(CALLS), path(), path()).prop_map(|(call, path, to)| format!("{call} {path} -> {to}"));
    let trees = kept.iter().map(|case| case.part("tree").to_owned()).collect();
    let calls = kept.iter().map(|case| case.part("calls").to_owned()).collect();
    let lines = |lines: Vec<String>| lines.join("\n");
    let tree = prop_oneof![3 => vec(entry, 0..12).prop_map(lines), 1 => edited(trees, NAMES)];
    let calls = prop_oneof![3 => vec(call, 1..12).prop_map(lines), 1 => edited(calls, NAMES)];
    (tree, calls).prop_map(|(tree, calls)| Parts(vec![("tree".into(), tree), ("calls".into(), calls)]))
}

/// A world whose directory is laid anew for each case, with something beside it.
struct Bench {
    world: World,
    runtime: Runtime,
    way: String,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut world = runtime.block_on(async { World::new() });
        world.time = Duration::from_hours(2);
        let way = world.root().to_str().unwrap().trim_start_matches('/').to_owned();
        fs::create_dir_all(world.root().join("outside/d")).unwrap();
        fs::write(world.root().join("outside/secret"), "x".repeat(OUTSIDE_BYTES)).unwrap();
        fs::write(world.root().join("outside/d/a"), "x".repeat(OUTSIDE_BYTES)).unwrap();
        Self { world, runtime, way }
    }

    /// What lies beside the directory: names, kinds, modes and times of change.
    fn outside(&self) -> Vec<String> {
        let mut entries = vec![self.world.root().join("outside")];
        let mut described = vec![format!("{:?}", names(self.world.root()))];
        while let Some(path) = entries.pop() {
            let meta = fs::symlink_metadata(&path).unwrap();
            let mode = meta.permissions().mode();
            described.push(format!(
                "{} {mode:o} {} {:?}",
                path.display(),
                meta.len(),
                meta.modified().unwrap()
            ));
            if meta.is_dir() {
                entries.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        described
    }

    fn lay(&self, tree: &str) {
        let files = self.world.files();
        let _ = fs::remove_dir_all(&files);
        fs::create_dir(&files).unwrap();
        for line in tree.lines() {
            let (kind, rest) = line.split_once(' ').unwrap_or_default();
            let (path, to) = rest.split_once(" -> ").unwrap_or((rest, ""));
            let Some(path) = beneath(&files, path) else {
                continue;
            };
            // What does not fit what is there already is left out.
            let _ = match kind {
                "file" => fs::write(path, INSIDE),
                "directory" => fs::create_dir_all(path),
                "link" => symlink(self.named(to), path),
                _ => Ok(()),
            };
        }
    }

    fn named(&self, text: &str) -> String {
        text.replace("{root}", &self.way)
    }

    fn holds(&self, case: &Parts) -> &'static str {
        self.lay(case.part("tree"));
        let before = self.outside();
        let mut went_through = "all refused";
        let all = self.runtime.block_on(self.world.open());
        for line in case.part("calls").lines().take(CALLS_MAX) {
            let (call, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (path, to) = rest.split_once(" -> ").unwrap_or((rest, ""));
            let (path, to) = (self.named(path), self.named(to));
            let answer = self.runtime.block_on(carry_out(&*all, call, &path, &to));
            match answer {
                Ok(()) => went_through = "some went through",
                Err(failure) => assert!(!failure.message.is_empty()),
            }
        }
        assert_eq!(self.outside(), before);
        went_through
    }
}

/// A place in the directory that a test may lay something at, without following a link that it laid.
fn beneath(files: &Path, path: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let (_, parents) = parts.split_last()?;
    let bad = |part: &&str| *part == ".." || part.contains('\0') || part.len() > 200;
    if parts.iter().any(bad) || parts.len() > 20 {
        return None;
    }
    let mut place = files.to_owned();
    for parent in parents {
        place.push(parent);
        let _ = fs::create_dir(&place);
        if !fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_dir()) {
            return None;
        }
    }
    place.push(parts.last()?);
    let is_free = fs::symlink_metadata(&place).is_err();
    is_free.then_some(place)
}

async fn carry_out(all: &dyn Capabilities, call: &str, path: &str, to: &str) -> Answer<()> {
    let files = all.files();
    match call {
        "stat" => files.stat("files", path).await.map(|meta| check_meta(&meta)),
        "digest" => files
            .digest("files", path)
            .await
            .map(|digest| check_digest(&digest)),
        "read" => files
            .read("files", path, 0, 1 << 20)
            .await
            .map(|content| check_content(&content)),
        "replace" => files.replace("files", path, WRITTEN.to_vec(), None, None).await,
        "rename" => files.rename("files", path, to).await,
        "truncate" => files.truncate("files", path, 3).await,
        "remove" => files.remove("files", path).await,
        "make-directory" => files.make_directory("files", path, Some(0o755)).await,
        "set-mode" => files.set_mode("files", path, 0o700).await,
        "walk" => walk(all, path).await,
        "check" => all.flow().check(&file(path)).await,
        "from-file" => moved(all, file(path), Sink::Nothing).await,
        "from-tree" => moved(all, tree(path), Sink::Nothing).await,
        "to-file" => moved(all, file(path), to_file(to)).await,
        _ => Err(Failure::invalid("no call")),
    }
}

async fn walk(all: &dyn Capabilities, path: &str) -> Answer<()> {
    let options: Pairs = vec![
        ("digest".into(), "sha256".into()),
        ("head-bytes".into(), "64".into()),
    ];
    let mut inventory = all
        .files()
        .walk("files", path, Vec::new(), Vec::new(), options)
        .await?;
    loop {
        let page = inventory.next(100).await?;
        if page.is_empty() {
            return Ok(());
        }
        page.iter().for_each(check_meta);
    }
}

fn file(path: &str) -> Source {
    Source::File {
        directory: "files".into(),
        path: path.into(),
    }
}

fn tree(path: &str) -> Source {
    Source::Tree {
        directory: "files".into(),
        path: path.into(),
        include: Vec::new(),
        exclude: Vec::new(),
    }
}

fn to_file(path: &str) -> Sink {
    Sink::File {
        directory: "files".into(),
        path: path.into(),
        if_exists: IfExists::Replace,
        mode: None,
    }
}

/// A tree may be large by its names; no file of it is.
async fn moved(all: &dyn Capabilities, source: Source, sink: Sink) -> Answer<()> {
    let is_file = matches!(source, Source::File { .. });
    let pipe = Pipe {
        source,
        stages: Vec::new(),
        expect: None,
    };
    let receipt = all.flow().move_bytes(pipe, sink).await?;
    if is_file {
        assert!(
            receipt.bytes_read <= INSIDE.len().max(WRITTEN.len()) as u64,
            "{receipt:?}"
        );
        check_digest(&receipt.source_digest);
    }
    Ok(())
}

fn check_meta(meta: &Meta) {
    assert_ne!(meta.bytes, OUTSIDE_BYTES as u64, "{meta:?}");
    check_content(&meta.head);
    meta.digest.iter().for_each(|digest| check_digest(digest));
}

/// It is of a file that was laid or written, or of the beginning of one.
fn check_content(content: &[u8]) {
    let is_known = INSIDE.as_bytes().starts_with(content) || WRITTEN.starts_with(content);
    assert!(is_known, "{:?}", String::from_utf8_lossy(content));
}

fn check_digest(digest: &str) {
    use sopwith_core::digest::Digest;
    let known =
        [INSIDE.as_bytes(), WRITTEN].map(|content| (0..=content.len()).map(|end| content[..end].to_vec()));
    let mut known = known
        .into_iter()
        .flatten()
        .map(|content| Digest::of(content).to_string());
    assert!(known.any(|known| known == digest), "{digest}");
}

fn names(path: &Path) -> Vec<String> {
    let names = crate::world::names(path).into_iter();
    // The record grows files of its own while it is written.
    names.filter(|name| !name.contains(".db")).collect()
}

#[test]
fn whatever_a_path_says_what_is_opened_lies_beneath_the_directory() {
    let target = Target::new(
        "paths",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/paths"),
    );
    let bench = Bench::new();
    target.run(&cases(&target.corpus()).boxed(), |case| bench.holds(case));
}
