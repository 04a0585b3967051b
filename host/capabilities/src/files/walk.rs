//! Walks a directory in the order of names.

use super::filter::Filter;
use super::walks::{Admitted, Names};
use crate::place::{Place, RelativePath};
use crate::stop::Watch;
use cap_fs_ext::DirExt as _;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Stat};
use sopwith_core::port::capabilities::Answer;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A tree that is deeper is a mistake, or a trap; each level keeps a descriptor open.
const DEPTH_MAX: usize = 128;

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
    admitted: Admitted,
}

struct Level {
    directory: Arc<Dir>,
    path: PathBuf,
    names: Names,
}

impl Level {
    fn open(directory: Arc<Dir>, path: PathBuf, admitted: &Admitted) -> io::Result<Self> {
        let mut names = admitted.names()?;
        for entry in directory.entries()? {
            admitted.add(entry?.file_name(), &mut names)?;
        }
        names.sort();
        Ok(Self {
            directory,
            path,
            names,
        })
    }
}

/// What one step of a walk came to.
enum Step {
    Came(Entry),
    /// What it came by is not meant.
    Passed,
    Done,
}

impl Walker {
    pub(crate) fn begin(
        place: &Place,
        path: &RelativePath,
        filter: Filter,
        depth_max: Option<usize>,
        admitted: Admitted,
    ) -> io::Result<Self> {
        let start = PathBuf::from(path.as_str());
        Ok(Self {
            filter,
            depth_max: depth_max.unwrap_or(DEPTH_MAX).min(DEPTH_MAX),
            start_parts: start.components().count(),
            levels: vec![Level::open(place.directory(path)?, start, &admitted)?],
            admitted,
        })
    }

    /// The next entry that is meant; what vanishes while the walk goes on is passed over.
    pub(crate) fn next(&mut self, watch: &Watch) -> Answer<io::Result<Option<Entry>>> {
        loop {
            watch.check()?;
            match self.step() {
                Ok(Step::Came(entry)) => return Ok(Ok(Some(entry))),
                Ok(Step::Passed) => {}
                Ok(Step::Done) => return Ok(Ok(None)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(Step::Done);
        };
        let Some(name) = level.names.pop() else {
            self.levels.pop();
            return Ok(Step::Passed);
        };
        let (parent, path) = (Arc::clone(&level.directory), level.path.join(&name));
        let stat = match rustix::fs::statat(&*parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(error) if error == rustix::io::Errno::NOENT => return Ok(Step::Passed),
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
            return Ok(Step::Passed);
        }
        if entry.kind() == FileType::Directory {
            self.descend(&entry)?;
        }
        Ok(if self.filter.includes(&beneath) {
            Step::Came(entry)
        } else {
            Step::Passed
        })
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
            Ok(directory) => {
                let level = Level::open(Arc::new(directory), entry.path.clone(), &self.admitted)?;
                self.levels.push(level);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
