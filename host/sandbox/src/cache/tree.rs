//! Goes through the directory of compiled plugins, and empties it, without following any link.

use cap_fs_ext::DirExt as _;
use cap_std::fs::{Dir, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use sopwith_core::digest::Digest;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The engine lays three; what is deeper somebody else made.
const DEPTH_MAX: usize = 8;

/// How much of a file is read at once.
const READ_BYTES: usize = 256 << 10;

/// Why a directory of compiled plugins is not as this host left it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Finding {
    /// There is none.
    #[error("it is not there")]
    Missing,
    /// A link stands in its place.
    #[error("it is a link")]
    Link,
    /// Something else stands in its place.
    #[error("it is not a directory")]
    NotADirectory,
    /// It is somebody else's.
    #[error("it belongs to user {owner}, and the host runs as {user}")]
    Foreign { owner: u32, user: u32 },
    /// Others can reach what is in it.
    #[error("its mode is `{0:04o}`, and it has to be closed to others (`0700`)")]
    Open(u32),
    /// Something in it is not what the engine makes.
    #[error("`{}` in it {why}", path.display())]
    Inside { path: PathBuf, why: &'static str },
    /// It cannot be looked at.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A plain file somewhere in the directory.
pub(super) struct File {
    parent: Arc<Dir>,
    name: OsString,
    /// Where it lies, seen from the directory.
    pub(super) path: String,
    pub(super) identity: Identity,
}

impl File {
    /// Whether the engine keeps its own notes in it, and no code: it reads code from files without
    /// an extension alone.
    pub(super) fn is_note(&self) -> bool {
        self.extension() == Some(OsStr::new("stats")) || self.is_unfinished()
    }

    /// Whether it is a lock, or was being written.
    pub(super) fn is_unfinished(&self) -> bool {
        let extension = self.extension().map(OsStr::as_encoded_bytes);
        extension.is_some_and(|extension| extension.starts_with(b"wip-"))
    }

    fn extension(&self) -> Option<&OsStr> {
        Path::new(&self.name).extension()
    }

    /// The digest of what is in it; none where that changed since it was found.
    pub(super) fn digest(&self) -> io::Result<Option<Digest>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let mut file = self.parent.open_with(&self.name, &options)?;
        let mut hasher = Sha256::new();
        io::copy(&mut BufReader::with_capacity(READ_BYTES, &mut file), &mut hasher)?;
        let same = Identity::of(&file.metadata()?) == self.identity;
        Ok(same.then(|| Digest::from_hasher(hasher)))
    }

    /// Takes it away; nothing is wrong if somebody else did.
    pub(super) fn remove(&self) -> io::Result<()> {
        unless_gone(self.parent.remove_file(&self.name))
    }
}

/// All plain files in a directory, or the first thing that has no place there.
pub(super) fn files(directory: &Arc<Dir>, user: u32) -> Result<Vec<File>, Finding> {
    let mut walk = Walk {
        user,
        device: directory.dir_metadata()?.dev(),
        files: Vec::new(),
    };
    walk.enter(directory, Path::new(""), 0)?;
    Ok(walk.files)
}

struct Walk {
    user: u32,
    device: u64,
    files: Vec<File>,
}

impl Walk {
    fn enter(&mut self, directory: &Arc<Dir>, path: &Path, depth: usize) -> Result<(), Finding> {
        for entry in directory.entries()? {
            let name = entry?.file_name();
            // The engine takes files away at any time.
            let Some(metadata) = present(directory.symlink_metadata(&name))? else {
                continue;
            };
            let path = path.join(&name);
            if let Some(why) = self.misplaced(&metadata, depth) {
                return Err(Finding::Inside { path, why });
            }
            if metadata.is_dir() {
                if let Some(inner) = present(directory.open_dir_nofollow(Path::new(&name)))? {
                    self.enter(&Arc::new(inner), &path, depth + 1)?;
                }
            } else {
                self.files.push(File {
                    parent: Arc::clone(directory),
                    name,
                    path: path.to_string_lossy().into_owned(),
                    identity: Identity::of(&metadata),
                });
            }
        }
        Ok(())
    }

    fn misplaced(&self, metadata: &Metadata, depth: usize) -> Option<&'static str> {
        if metadata.uid() != self.user {
            Some("belongs to another user")
        } else if metadata.dev() != self.device {
            Some("is another file system")
        } else if metadata.is_dir() {
            (depth >= DEPTH_MAX).then_some("is too deep")
        } else if !metadata.is_file() {
            Some("is no plain file")
        } else {
            (metadata.nlink() > 1).then_some("is a link")
        }
    }
}

/// Takes away everything in a directory that lies on its file system.
pub(super) fn clear(directory: &Dir) -> io::Result<()> {
    clear_level(directory, directory.dir_metadata()?.dev(), 0)
}

fn clear_level(directory: &Dir, device: u64, depth: usize) -> io::Result<()> {
    for entry in directory.entries()? {
        let name = entry?.file_name();
        let Some(metadata) = present(directory.symlink_metadata(&name))? else {
            continue;
        };
        if !metadata.is_dir() {
            unless_gone(directory.remove_file(&name))?;
            continue;
        }
        let inner = directory.open_dir_nofollow(Path::new(&name))?;
        // What is mounted here is not ours to empty.
        if inner.dir_metadata()?.dev() != device || depth >= DEPTH_MAX {
            return Err(io::Error::other(format!("`{}` stays", name.display())));
        }
        clear_level(&inner, device, depth + 1)?;
        unless_gone(directory.remove_dir(&name))?;
    }
    Ok(())
}

fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    present(removed).map(drop)
}
