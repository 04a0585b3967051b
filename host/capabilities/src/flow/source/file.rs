//! The bytes of one file, or of the guest.

use super::{Halt, Outlet, Produce, Produced};
use crate::flow::pipeline::CHUNK_BYTES;
use crate::place::{Place, ReadFile, RelativePath};
use crate::trouble::file_failure;
use rustix::fs::Stat;
use std::io::{self, Read as _};

/// Bytes of the guest.
pub(super) struct Content(pub(super) Vec<u8>);

impl Produce for Content {
    fn size(&self) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        outlet.put(&self.0)?;
        Ok(Produced::default())
    }
}

/// A file in a granted directory.
pub(super) struct FileSource {
    file: ReadFile,
    stat: Stat,
    doing: String,
    path: String,
}

impl FileSource {
    pub(super) fn open(place: &Place, path: &RelativePath) -> io::Result<Self> {
        let file = place.open_file(path)?;
        Ok(Self {
            stat: rustix::fs::fstat(&*file)?,
            doing: place.doing("read", path),
            path: path.to_string(),
            file,
        })
    }
}

impl Produce for FileSource {
    fn size(&self) -> Option<u64> {
        u64::try_from(self.stat.st_size).ok()
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        let failed = |error: io::Error| Halt::Failed(file_failure(&error, &self.doing));
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match (&*self.file).read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => outlet.put(&chunk[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let after = rustix::fs::fstat(&*self.file).map_err(|error| failed(error.into()))?;
        let mut produced = Produced::default();
        if has_changed(&self.stat, &after) {
            produced
                .warnings
                .push(format!("`{}` changed while it was read", self.path));
        }
        Ok(produced)
    }
}

/// Whether somebody wrote to a file between two looks at it.
pub(super) fn has_changed(before: &Stat, after: &Stat) -> bool {
    let written = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
    written(before) != written(after)
}
