//! What a guest has open through `wasi:filesystem`: plain files and directories, to read.
//!
//! A pipe without a writer keeps whoever opens it waiting, and so does many a device; nobody can
//! end a thread that waits so. So nothing else is opened at all, and nothing is opened blocking.

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, Metadata, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Capabilities, Cover};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// Files and directories that one guest may have open at once. A process has some thousands for
/// everything that it does.
const OPEN_FILES_MAX: usize = 64;

/// A file or directory.
#[derive(Clone)]
pub(super) enum Opened {
    File(Arc<OpenFile>),
    Directory(Arc<OpenDirectory>),
}

/// A plain file. It is closed as its granter does it, since closing a file takes away the locks
/// that the host's own databases hold on it.
pub(super) struct OpenFile {
    file: Option<File>,
    capabilities: Arc<dyn Capabilities>,
    place: Place,
}

/// A directory.
pub(crate) struct OpenDirectory {
    directory: Dir,
    /// None for one that was granted: it is open as long as the guest lives.
    _place: Option<Place>,
}

/// How much one guest has open.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<()>);

/// One of the places; free again when it is dropped.
pub(super) struct Place(Arc<()>);

impl Places {
    /// Takes a place for something that is about to be opened.
    pub(super) fn take(&self) -> Result<Place, Failure> {
        if Arc::strong_count(&self.0) > OPEN_FILES_MAX {
            let message = format!("the plugin may have {OPEN_FILES_MAX} files open at once");
            return Err(Failure::limit("open_files", message));
        }
        Ok(Place(Arc::clone(&self.0)))
    }
}

impl OpenDirectory {
    /// Opens a directory that was granted.
    pub(super) fn granted(path: &Path) -> io::Result<Self> {
        Ok(Self {
            directory: Dir::open_ambient_dir(path, ambient_authority())?,
            _place: None,
        })
    }

    /// Opens what lies beneath; links lead nowhere outside.
    pub(super) fn open(
        &self,
        path: &str,
        follow: FollowSymlinks,
        place: Place,
        capabilities: Arc<dyn Capabilities>,
    ) -> io::Result<Opened> {
        // To open a pipe or a device does something to it, even where nobody waits.
        check_kind(self.stat(path, follow)?.file_type())?;
        let mut options = OpenOptions::new();
        options.read(true).follow(follow).custom_flags(nonblocking());
        let file = OpenFile {
            file: Some(self.directory.open_with(path, &options)?),
            capabilities,
            place,
        };
        let kind = file.metadata()?.file_type();
        check_kind(kind)?;
        Ok(if kind.is_dir() {
            file.into_directory()
        } else {
            Opened::File(Arc::new(file))
        })
    }

    /// Looks at what lies beneath.
    pub(super) fn stat(&self, path: &str, follow: FollowSymlinks) -> io::Result<Metadata> {
        match follow {
            FollowSymlinks::Yes => self.directory.metadata(path),
            FollowSymlinks::No => self.directory.symlink_metadata(path),
        }
    }
}

impl Deref for OpenDirectory {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.directory
    }
}

impl OpenFile {
    /// What covers secrets in it, if any are known.
    pub(super) fn cover(&self) -> Option<Box<dyn Cover>> {
        self.capabilities.cover()
    }

    fn into_directory(mut self) -> Opened {
        let file = self.file.take().expect(OPEN);
        Opened::Directory(Arc::new(OpenDirectory {
            directory: Dir::from_std_file(file.into_std()),
            _place: Some(Place(Arc::clone(&self.place.0))),
        }))
    }
}

impl Deref for OpenFile {
    type Target = File;

    fn deref(&self) -> &File {
        self.file.as_ref().expect(OPEN)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            self.capabilities.close_file(file.into_std());
        }
    }
}

const OPEN: &str = "the file is there until the drop";

fn check_kind(kind: FileType) -> io::Result<()> {
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    if kind.is_symlink() {
        return Err(rustix::io::Errno::LOOP.into());
    }
    Err(rustix::io::Errno::NOTSUP.into())
}

fn nonblocking() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default()
}
