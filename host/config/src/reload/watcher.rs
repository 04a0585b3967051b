//! Hints that something in the folder changed. They may be late, missing or wrong; the content
//! decides.

use crate::inputs::{PLUGINS, PROCEDURES};
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches the folder and its two directories, so that files that are replaced are seen too.
pub(super) struct Watcher {
    hints: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    directories: [PathBuf; 3],
    /// The inodes that are watched; a directory may have been replaced by another.
    watched: BTreeMap<PathBuf, u64>,
}

impl Watcher {
    pub(super) fn new(folder: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        let notice = Arc::clone(&changed);
        let hints = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_change(event.kind)) {
                notice.notify_one();
            }
        });
        let hints = hints
            .inspect_err(|error| tracing::warn!("changes of files are noticed by looking alone: {error}"))
            .ok();
        let mut watcher = Self {
            hints,
            changed,
            directories: [folder.to_owned(), folder.join(PROCEDURES), folder.join(PLUGINS)],
            watched: BTreeMap::new(),
        };
        watcher.renew();
        watcher
    }

    /// Comes back when something may have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Watches what came to be or was replaced since.
    pub(super) fn renew(&mut self) {
        let Some(hints) = &mut self.hints else { return };
        for directory in &self.directories {
            let inode = std::fs::metadata(directory).ok().map(|metadata| metadata.ino());
            if self.watched.get(directory).copied() == inode {
                continue;
            }
            // What was watched under this name is gone; that it cannot be let go is no news.
            let _ = hints.unwatch(directory);
            self.watched.remove(directory);
            if let Some(inode) = inode
                && hints.watch(directory, RecursiveMode::NonRecursive).is_ok()
            {
                self.watched.insert(directory.clone(), inode);
            }
        }
    }
}

/// Reading a file is no change, or each look would be followed by another.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
