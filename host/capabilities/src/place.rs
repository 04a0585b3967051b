//! Places in granted directories: whatever a path says, it leads nowhere outside.

use crate::files::walks::Walks;
use crate::gate::Gate;
use crate::held;
use crate::pretended::Pretended;
use crate::trouble::file_failure;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::{Access, Wanted};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, Preopen};
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// All directories that an attempt may use.
pub(crate) struct Directories {
    gate: Arc<Gate>,
    pub(crate) pretended: Arc<Pretended>,
    pub(crate) walks: Walks,
}

impl Directories {
    pub(crate) fn new(gate: Arc<Gate>, pretended: Arc<Pretended>) -> Self {
        Self {
            gate,
            pretended,
            walks: Walks::new(),
        }
    }

    /// Opens a directory that may be used in this way.
    pub(crate) fn open(&self, name: &str, access: Access, call: &str) -> Answer<Place> {
        self.gate.allow(&Wanted::directory(name, access), call)?;
        let unknown = || {
            let message = format!("there is no directory `{name}`");
            Failure::new(FailureKind::NotFound, Blame::Operator, message)
        };
        let resource: ResourceName = name.parse().map_err(|_| unknown())?;
        let directories = &self.gate.attempt().resources.directories;
        let path = &directories.get(&resource).ok_or_else(unknown)?.path;
        let directory =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| unopened(&error, name))?;
        Ok(Place {
            name: name.to_owned(),
            directory: Arc::new(directory),
        })
    }

    /// Fails for what a dry run only pretended to write.
    pub(crate) fn check_real(&self, directory: &str, path: &RelativePath) -> Answer<()> {
        self.pretended.check(&object(directory, path))
    }

    /// The directories that the guest may see.
    pub(crate) fn preopens(&self) -> Vec<Preopen> {
        let attempt = self.gate.attempt();
        let granted = attempt.grants.directories.keys().filter_map(|name| {
            let path = attempt.resources.directories.get(name)?.path.clone();
            let readable = self
                .gate
                .would_allow(&Wanted::directory(name.as_str(), Access::Read));
            let name = name.to_string();
            // One that is missing is told when it is used.
            (readable && path.is_dir()).then_some(Preopen { name, path })
        });
        granted.collect()
    }
}

/// A directory that is not what its operator says; it is none of the plugin's doing.
fn unopened(error: &io::Error, name: &str) -> Failure {
    let mut failure = file_failure(error, &format!("open directories.{name}"));
    failure.blame = Blame::Operator;
    let place = || format!("look at `path` under [directories.{name}] in sopwith.toml");
    failure.hint.get_or_insert_with(place);
    failure
}

/// As operators call a file: `directories.backups/a.db`.
pub(crate) fn object(directory: &str, path: &RelativePath) -> String {
    format!("directories.{directory}/{path}")
}

/// No system knows a longer path, and each that is used for a change is on record.
const PATH_BYTES_MAX: usize = 4 << 10;

/// A path that names no parent, begins at no root, and is written in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelativePath(String);

impl RelativePath {
    /// Reads a path; an empty one is the directory itself.
    pub(crate) fn parse(text: &str) -> Answer<Self> {
        if text.len() > PATH_BYTES_MAX {
            return Err(Failure::invalid(format!(
                "a path has {} bytes, and may have {PATH_BYTES_MAX}",
                text.len()
            )));
        }
        let refuse = |why| Err(Failure::invalid(format!("the path `{text}` {why}")));
        if text.starts_with('/') {
            return refuse("is absolute; paths are relative to their directory");
        }
        if text.contains('\0') {
            return refuse("has a zero byte");
        }
        let parts: Vec<_> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        if parts.contains(&"..") {
            return refuse("leads out of its directory");
        }
        Ok(Self(parts.join("/")))
    }

    /// Reads the path of something within the directory.
    pub(crate) fn parse_inner(text: &str) -> Answer<Self> {
        let path = Self::parse(text)?;
        if path.0.is_empty() {
            return Err(Failure::invalid("the path is empty"));
        }
        Ok(path)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn parent_and_name(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A directory that may be used.
#[derive(Clone)]
pub(crate) struct Place {
    /// As the operator calls it.
    pub(crate) name: String,
    pub(crate) directory: Arc<Dir>,
}

impl Place {
    /// Opens the directory that a path lies in. Links on the way are followed as long as they stay
    /// beneath the place; the last name is not looked at.
    pub(crate) fn spot(&self, path: &RelativePath) -> io::Result<Spot> {
        let (parent, name) = path.parent_and_name();
        Ok(Spot {
            parent: self.subdirectory(parent)?,
            name: name.to_owned(),
        })
    }

    /// Opens a directory beneath the place.
    pub(crate) fn directory(&self, path: &RelativePath) -> io::Result<Arc<Dir>> {
        self.subdirectory(path.as_str())
    }

    fn subdirectory(&self, path: &str) -> io::Result<Arc<Dir>> {
        if path.is_empty() {
            return Ok(Arc::clone(&self.directory));
        }
        self.directory.open_dir(path).map(Arc::new)
    }

    /// Opens a file to read; a link is followed as long as it stays beneath the place.
    pub(crate) fn open_file(&self, path: &RelativePath) -> io::Result<ReadFile> {
        if path.as_str().is_empty() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        check_plain(self.directory.metadata(path.as_str())?.mode())?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(nonblocking());
        let file = self.directory.open_with(path.as_str(), &options)?;
        ReadFile::new(file.into_std())
    }

    /// What was to be done with a path, for an error.
    pub(crate) fn doing(&self, verb: &str, path: &RelativePath) -> String {
        format!("{verb} `{path}` in directories.{}", self.name)
    }
}

/// A name in an open directory. What is done with it does not follow a link of that name.
pub(crate) struct Spot {
    pub(crate) parent: Arc<Dir>,
    pub(crate) name: String,
}

impl Spot {
    /// A spot outside of all granted directories: the file of a database.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(io::Error::from(io::ErrorKind::InvalidFilename));
        };
        Ok(Self {
            parent: Arc::new(Dir::open_ambient_dir(parent, ambient_authority())?),
            name: name.to_owned(),
        })
    }

    pub(crate) fn stat(&self) -> io::Result<Stat> {
        Ok(rustix::fs::statat(
            &*self.parent,
            &self.name,
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }

    /// None where there is nothing.
    pub(crate) fn stat_if_there(&self) -> io::Result<Option<Stat>> {
        match self.stat() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    pub(crate) fn open_file(&self) -> io::Result<ReadFile> {
        check_plain(self.stat()?.st_mode)?;
        ReadFile::new(open_at(&self.parent, self.name.as_ref())?)
    }
}

/// Fails unless a mode is that of a plain file. To be asked before a file is opened, since that does
/// something to some devices, and after it, since it may have become another.
fn check_plain(mode: u32) -> io::Result<()> {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
        FileType::Symlink => Err(Errno::LOOP.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")),
    }
}

/// Opens a name in a directory to read, and follows no link.
pub(crate) fn open_at(parent: &Dir, name: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?.into())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Dir) -> io::Result<()> {
    // What cap-std opens is only a place and cannot be synced itself.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    Ok(rustix::fs::fsync(readable)?)
}

/// A pipe without a writer would keep its opener waiting.
fn nonblocking() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default()
}

/// A file that is open to read. It is closed in a way that leaves the locks of databases alone.
pub(crate) struct ReadFile(Option<File>);

impl ReadFile {
    /// Fails unless it is a plain file.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let file = Self(Some(file));
        check_plain(rustix::fs::fstat(&*file)?.st_mode)?;
        Ok(file)
    }
}

impl Deref for ReadFile {
    type Target = File;

    fn deref(&self) -> &File {
        self.0.as_ref().expect("the file is there until the drop")
    }
}

impl Drop for ReadFile {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            held::close(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_is_refused_and_others_are_written_in_one_way() {
        let long = "a/".repeat(2_049);
        for bad in ["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b", &long] {
            assert!(RelativePath::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(RelativePath::parse("./a//b/").unwrap().as_str(), "a/b");
        assert!(RelativePath::parse_inner(".").is_err());
    }
}
