//! Writes files that are there whole or not at all, also after a crash.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Puts a file in its place in one step, readable to the owner alone, and makes it durable.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory)?.sync_all()
}
