//! Tells whether files may have changed, without reading them.

use crate::inputs::{HOST_FILE, PLUGINS, PROCEDURES};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What the file system says of every file of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Stamp>);

/// Inode, size, and times of modification and change with nanoseconds.
type Stamp = [i128; 4];

impl Fingerprint {
    pub(super) async fn take(folder: &Path) -> Self {
        let folder = folder.to_owned();
        let looking = tokio::task::spawn_blocking(move || Self::of(&folder));
        looking.await.expect("looking at files does not panic")
    }

    fn of(folder: &Path) -> Self {
        let mut stamps = BTreeMap::new();
        let mut look = |path: PathBuf| {
            // Links are followed: what they point to is what is read.
            if let Ok(metadata) = std::fs::metadata(&path) {
                stamps.insert(path, stamp(&metadata));
            }
        };
        look(folder.join(HOST_FILE));
        for directory in [PROCEDURES, PLUGINS] {
            let entries = std::fs::read_dir(folder.join(directory)).into_iter().flatten();
            for entry in entries.flatten() {
                look(entry.path());
            }
        }
        Self(stamps)
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    [
        metadata.ino().into(),
        metadata.size().into(),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ]
}
