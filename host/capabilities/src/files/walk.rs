//! Walks a directory in the order of names.

use super::filter::Filter;
use crate::place::{Place, RelativePath};
use cap_fs_ext::DirExt as _;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Stat};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A tree that is deeper is a mistake, or a trap; each level keeps a descriptor open.
const DEPTH_MAX: usize = 128;
/// Names of one directory, which are sorted in memory.
const NAMES_MAX: usize = 1_000_000;

/// Something that the walk came by.
pub(crate) struct Entry {
    pub(crate) parent: Arc<Dir>,
    pub(crate) name: OsString,
    /// Beneath the granted directory.
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
}

impl Entry {
    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// Goes through a tree, depth first, each directory before what is in it.
pub(crate) struct Walker {
    filter: Filter,
    depth_max: usize,
    /// How many parts of a path lie above the start.
    start_parts: usize,
    levels: Vec<Level>,
}

struct Level {
    directory: Arc<Dir>,
    path: PathBuf,
    /// Last name first.
    names: Vec<OsString>,
}

impl Level {
    fn open(directory: Arc<Dir>, path: PathBuf) -> io::Result<Self> {
        let mut names = Vec::new();
        for entry in directory.entries()? {
            names.push(entry?.file_name());
            if names.len() > NAMES_MAX {
                return Err(io::Error::other(format!(
                    "a directory has more than {NAMES_MAX} names"
                )));
            }
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Self {
            directory,
            path,
            names,
        })
    }
}

impl Walker {
    pub(crate) fn begin(
        place: &Place,
        path: &RelativePath,
        filter: Filter,
        depth_max: Option<usize>,
    ) -> io::Result<Self> {
        let start = PathBuf::from(path.as_str());
        Ok(Self {
            filter,
            depth_max: depth_max.unwrap_or(DEPTH_MAX).min(DEPTH_MAX),
            start_parts: start.components().count(),
            levels: vec![Level::open(place.directory(path)?, start)?],
        })
    }

    /// The next entry that is meant; what vanishes while the walk goes on is passed over.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        while let Some(level) = self.levels.last_mut() {
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            let (parent, path) = (Arc::clone(&level.directory), level.path.join(&name));
            let stat = match rustix::fs::statat(&*parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(error) if error == rustix::io::Errno::NOENT => continue,
                stat => stat?,
            };
            let entry = Entry {
                parent,
                name,
                path,
                stat,
            };
            let beneath: PathBuf = entry.path.components().skip(self.start_parts).collect();
            if self.filter.excludes(&beneath) {
                continue;
            }
            if entry.kind() == FileType::Directory {
                self.descend(&entry)?;
            }
            if self.filter.includes(&beneath) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn descend(&mut self, entry: &Entry) -> io::Result<()> {
        if self.levels.len() >= self.depth_max {
            if self.depth_max == DEPTH_MAX {
                return Err(io::Error::other(format!(
                    "the tree is deeper than {DEPTH_MAX} directories"
                )));
            }
            return Ok(());
        }
        match entry.parent.open_dir_nofollow(Path::new(&entry.name)) {
            Ok(directory) => self
                .levels
                .push(Level::open(Arc::new(directory), entry.path.clone())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
