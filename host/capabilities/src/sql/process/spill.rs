//! Measures what a session puts into temporary files, which have no name and no other limit.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is measured; what is written meanwhile is beyond the limit at most.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How the system shows a file that has no name any more.
const UNNAMED: &[u8] = b" (deleted)";

/// The temporary files of this process, beside everything else in the directory of its run.
pub(in crate::sql) struct Spill {
    directory: PathBuf,
    bytes_max: u64,
    looked_at: Option<Duration>,
    /// As large as the temporary files, so that whoever adds up the directory counts them.
    stand_in: PathBuf,
    stand_in_bytes: u64,
    is_full: bool,
    most: u64,
}

impl Spill {
    pub(super) fn new(directory: PathBuf, bytes_max: u64) -> Self {
        Self {
            stand_in: directory.join(format!("{}.temporary", std::process::id())),
            directory,
            bytes_max,
            looked_at: None,
            stand_in_bytes: 0,
            is_full: false,
            most: 0,
        }
    }

    /// Measures from time to time, and says whether there is room for more.
    pub(in crate::sql) fn has_room(&mut self, now: Duration) -> bool {
        if self.looked_at.is_none_or(|at| now >= at + LOOK_EVERY) {
            self.looked_at = Some(now);
            // Where nothing can be measured, nothing may be written.
            self.is_full = self.measure().is_none_or(|bytes| bytes > self.bytes_max);
        }
        !self.is_full
    }

    /// Whether the last look found too much.
    pub(in crate::sql) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Looks once more, after a statement.
    pub(super) fn settle(&mut self) {
        self.is_full = false;
        if self.looked_at.take().is_some() || self.stand_in_bytes > 0 {
            self.measure();
        }
    }

    /// The most that the directory held.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    fn measure(&mut self) -> Option<u64> {
        let own = unnamed(&self.directory).ok()?;
        self.stand_in(own).ok()?;
        let bytes = own + self.others().ok()?;
        self.most = self.most.max(bytes);
        Some(bytes)
    }

    fn others(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // One that vanished is no longer there.
            if entry.path() != self.stand_in
                && let Ok(metadata) = entry.metadata()
            {
                bytes += metadata.len();
            }
        }
        Ok(bytes)
    }

    fn stand_in(&mut self, bytes: u64) -> io::Result<()> {
        if bytes == self.stand_in_bytes {
            return Ok(());
        }
        // It has holes alone, and takes no room on the disk.
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.stand_in)?
            .set_len(bytes)?;
        self.stand_in_bytes = bytes;
        Ok(())
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.stand_in);
    }
}

/// The bytes of files without a name that this process has open and made in a directory.
fn unnamed(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir("/proc/self/fd")? {
        let descriptor = entry?.path();
        let Ok(target) = fs::read_link(&descriptor) else {
            continue;
        };
        let is_unnamed = target.as_os_str().as_bytes().ends_with(UNNAMED);
        if is_unnamed && target.parent() == Some(directory) {
            bytes += fs::metadata(&descriptor).map_or(0, |metadata| metadata.len());
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn files_without_a_name_count_for_everybody_until_they_are_closed() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().canonicalize().unwrap();
        fs::write(directory.join("1.db"), [0; 100]).unwrap();
        let mut file = tempfile::tempfile_in(&directory).unwrap();
        file.write_all(&[0; 1000]).unwrap();
        let mut other = tempfile::tempfile().unwrap();
        other.write_all(&[0; 5000]).unwrap();

        let mut spill = Spill::new(directory.clone(), 1_099);
        assert!(!spill.has_room(Duration::ZERO));
        assert_eq!(spill.most(), 1_100);
        let sum = || -> u64 {
            let entries = fs::read_dir(&directory).unwrap();
            entries
                .map(|entry| entry.unwrap().metadata().unwrap().len())
                .sum()
        };
        assert_eq!(sum(), 1_100);
        drop(file);
        assert!(!spill.has_room(LOOK_EVERY / 2), "it is too early for a look");
        assert!(spill.has_room(LOOK_EVERY));
        assert_eq!(sum(), 100);
        drop(spill);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }
}
