//! A directory as a tar archive, in the order of names.

use super::file::has_changed;
use super::header::{BLOCK_BYTES, blocks, padding};
use super::{Halt, Outlet, Produce, Produced};
use crate::files::filter::Filter;
use crate::files::walk::{Entry, Walker};
use crate::files::walks::Admitted;
use crate::flow::pipeline::CHUNK_BYTES;
use crate::place::{Place, ReadFile, RelativePath, open_at};
use crate::trouble::file_failure;
use rustix::fs::FileType;
use sopwith_core::port::capabilities::Answer;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Warnings that are kept; a tree in which more is unusual has been said to be so.
const WARNINGS_MAX: usize = 100;

/// What lies beneath a path of a granted directory.
pub(super) struct TreeSource {
    place: Place,
    path: RelativePath,
    filter: Filter,
    admitted: Admitted,
}

impl TreeSource {
    /// Looks whether there is such a directory.
    pub(super) fn open(place: Place, path: RelativePath, filter: Filter, admitted: Admitted) -> Answer<Self> {
        match place.directory(&path) {
            Ok(_) => Ok(Self {
                place,
                path,
                filter,
                admitted,
            }),
            Err(error) => Err(file_failure(&error, &place.doing("read", &path))),
        }
    }
}

impl Produce for TreeSource {
    fn size(&self) -> Option<u64> {
        None
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        let doing = self.place.doing("read", &self.path);
        let begun = Walker::begin(&self.place, &self.path, self.filter, None, self.admitted);
        let mut walker = begun.map_err(|error| Halt::Failed(file_failure(&error, &doing)))?;
        let mut archive = Archive {
            start: PathBuf::from(self.path.as_str()),
            doing,
            produced: Produced::default(),
        };
        let watch = Arc::clone(outlet.watch());
        while let Some(entry) = walker.next(&watch)?.map_err(|error| archive.failed(&error))? {
            archive.put(&entry, outlet)?;
        }
        // Two empty blocks end an archive.
        outlet.put(&[0; 2 * BLOCK_BYTES])?;
        Ok(archive.produced)
    }
}

/// An archive that is being written.
struct Archive {
    start: PathBuf,
    doing: String,
    produced: Produced,
}

impl Archive {
    fn failed(&self, error: &io::Error) -> Halt {
        Halt::Failed(file_failure(error, &self.doing))
    }

    fn warn(&mut self, entry: &Entry, what: &str) {
        if self.produced.warnings.len() < WARNINGS_MAX {
            self.produced
                .warnings
                .push(format!("`{}` {what}", entry.path.display()));
        }
    }

    fn put(&mut self, entry: &Entry, outlet: &mut Outlet) -> Result<(), Halt> {
        let path = entry.path.strip_prefix(&self.start).unwrap_or(&entry.path);
        match entry.kind() {
            FileType::Directory => outlet.put(&blocks(path.as_os_str(), None, &entry.stat)),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&*entry.parent, Path::new(&entry.name), Vec::new());
                match target.map_err(io::Error::from) {
                    Ok(target) => {
                        let target = OsString::from_vec(target.into_bytes());
                        outlet.put(&blocks(path.as_os_str(), Some(&target), &entry.stat))
                    }
                    Err(error) => self.skip_vanished(entry, &error),
                }
            }
            FileType::RegularFile => self.put_file(path, entry, outlet),
            _ => {
                self.warn(entry, "is left out: it is no file, directory or link");
                Ok(())
            }
        }
    }

    fn put_file(&mut self, path: &Path, entry: &Entry, outlet: &mut Outlet) -> Result<(), Halt> {
        let opened = open_at(&entry.parent, Path::new(&entry.name)).and_then(ReadFile::new);
        let file = match opened {
            Ok(file) => file,
            Err(error) => return self.skip_vanished(entry, &error),
        };
        let stat = rustix::fs::fstat(&*file).map_err(|error| self.failed(&error.into()))?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        outlet.put(&blocks(path.as_os_str(), None, &stat))?;
        let copied =
            copy(&file, size, outlet).map_err(|error| outlet.halted(|| file_failure(&error, &self.doing)))?;
        // The header has promised so many bytes; a file that shrank is filled up.
        fill_up(size - copied + padding(size) as u64, outlet)?;
        let after = rustix::fs::fstat(&*file).map_err(|error| self.failed(&error.into()))?;
        if has_changed(&stat, &after) {
            self.warn(entry, "changed while it was read");
        }
        Ok(())
    }

    fn skip_vanished(&mut self, entry: &Entry, error: &io::Error) -> Result<(), Halt> {
        if error.kind() == io::ErrorKind::NotFound {
            self.warn(entry, "vanished before it was read");
            return Ok(());
        }
        Err(Halt::Failed(file_failure(
            error,
            &format!("{}: `{}`", self.doing, entry.path.display()),
        )))
    }
}

fn fill_up(mut bytes: u64, outlet: &mut Outlet) -> Result<(), Halt> {
    let zeros = [0; BLOCK_BYTES];
    while bytes > 0 {
        let now = usize::try_from(bytes).map_or(BLOCK_BYTES, |bytes| bytes.min(BLOCK_BYTES));
        outlet.put(&zeros[..now])?;
        bytes -= now as u64;
    }
    Ok(())
}

/// Copies at most so many bytes, and returns how many there were.
fn copy(file: &ReadFile, size: u64, outlet: &mut Outlet) -> io::Result<u64> {
    let mut content = (&**file).take(size);
    let mut chunk = vec![
        0;
        CHUNK_BYTES
            .min(usize::try_from(size).unwrap_or(CHUNK_BYTES))
            .max(1)
    ];
    let mut copied = 0;
    loop {
        match content.read(&mut chunk) {
            Ok(0) => return Ok(copied),
            Ok(read) => {
                io::Write::write_all(outlet, &chunk[..read])?;
                copied += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
