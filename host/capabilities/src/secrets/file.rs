//! Reads small files in which secrets lie.

use jiff::Timestamp;
use rustix::fs::OFlags;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The content of a file, and what the operating system says of it.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) metadata: Metadata,
}

impl Content {
    /// When it was written.
    pub(super) fn written_at(&self) -> Timestamp {
        let modified = self.metadata.modified().ok();
        modified
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Reads a file of at most so many bytes. Links are followed: whoever hands out secrets as files
/// changes them by changing a link.
pub(super) fn read(path: &Path, bytes_max: usize) -> io::Result<Content> {
    let no_file = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    // A pipe that nobody writes to would never be open.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(no_file("it is not a file"));
    }
    // As long as it may be, so that no part of it is left behind by a move.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max + 1));
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(no_file(&format!("it has more than {bytes_max} bytes")));
    }
    Ok(Content { bytes, metadata })
}
