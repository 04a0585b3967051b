//! The lock of a data directory: one host at a time.

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What the process is for that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// A command, which ends by itself.
    Command,
    /// The service.
    Service,
}

/// Who holds the lock, as it says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// Its process.
    pub(crate) pid: u32,
    /// What it is for.
    pub(crate) role: Role,
}

/// The lock of a data directory; dropped with the process, however that ends.
#[derive(Debug)]
pub(crate) struct DataLock {
    file: File,
    path: PathBuf,
}

impl DataLock {
    /// Takes the lock; none when another process holds it. Makes the directory where it is
    /// missing, for its owner alone.
    pub(crate) fn take(data_directory: &Path, role: Role) -> anyhow::Result<Option<Self>> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_directory)
            .with_context(|| format!("the data directory `{}` cannot be made", data_directory.display()))?;
        let path = data_directory.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("`{}` cannot be opened", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let holder = Holder {
                    pid: std::process::id(),
                    role,
                };
                file.set_len(0)?;
                (&file).write_all(&serde_json::to_vec(&holder)?)?;
                Ok(Some(Self { file, path }))
            }
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("`{}` cannot be locked", path.display())),
        }
    }

    /// Whether the file that is locked is still the one that another host would lock. Where somebody
    /// removed the directory, a second host could start in a new one.
    pub(crate) fn is_in_place(&self) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let held = self.file.metadata().map(identity);
        let found = fs::metadata(&self.path).map(identity);
        matches!((held, found), (Ok(held), Ok(found)) if held == found)
    }

    /// Who holds the lock, where that can be read. It may have let go of it meanwhile.
    pub(crate) fn holder(data_directory: &Path) -> Option<Holder> {
        let text = std::fs::read(data_directory.join("lock")).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_removed_or_made_anew_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let lock = DataLock::take(&path, Role::Service).unwrap().unwrap();
        assert!(lock.is_in_place());
        fs::rename(&path, directory.path().join("elsewhere")).unwrap();
        assert!(!lock.is_in_place());
        let other = DataLock::take(&path, Role::Service).unwrap().unwrap();
        assert!(!lock.is_in_place());
        assert!(other.is_in_place());
    }

    #[test]
    fn a_data_directory_is_made_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("far/state");
        let _lock = DataLock::take(&path, Role::Command).unwrap().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("lock")), 0o600);
    }

    #[test]
    fn a_data_directory_has_one_host_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let held = DataLock::take(&path, Role::Command).unwrap();
        assert!(held.is_some());
        let holder = Holder {
            pid: std::process::id(),
            role: Role::Command,
        };
        assert_eq!(DataLock::holder(&path), Some(holder));
        assert!(DataLock::take(&path, Role::Command).unwrap().is_none());
        drop(held);
        assert!(DataLock::take(&path, Role::Command).unwrap().is_some());
    }
}
