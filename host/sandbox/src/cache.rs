//! Opens the directory of compiled plugins. Whoever can write there runs code as the host, so it
//! must belong to the host's user alone.

use crate::settings::SandboxError;
use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use wasmtime::{Cache, CacheConfig};

const OTHERS: u32 = 0o077;

/// Opens the cache, and makes its directory if there is none.
pub(crate) fn open(directory: &Path) -> Result<Cache, SandboxError> {
    let directory = std::path::absolute(directory).map_err(|error| refused(directory, error))?;
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(refused(&directory, error));
        }
        _ => {}
    }
    check_directory(&directory)?;
    check_entries(&directory)?;
    let mut config = CacheConfig::new();
    config.with_directory(&directory);
    Cache::new(config).map_err(|error| refused(&directory, format!("{error:#}")))
}

fn check_directory(path: &Path) -> Result<(), SandboxError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| refused(path, error))?;
    if !metadata.is_dir() {
        return Err(refused(path, "it is not a directory"));
    }
    check_owner(path, &metadata)?;
    if metadata.mode() & OTHERS != 0 {
        let mode = metadata.mode() & 0o7777;
        let why = format!("its mode is `{mode:04o}`, and it must be closed to others (`chmod 700`)");
        return Err(refused(path, why));
    }
    Ok(())
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), SandboxError> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user {
        return Ok(());
    }
    let why = format!(
        "it belongs to user {}, and the host runs as {user}",
        metadata.uid()
    );
    Err(refused(path, why))
}

fn check_entries(directory: &Path) -> Result<(), SandboxError> {
    let entries = fs::read_dir(directory).map_err(|error| refused(directory, error))?;
    for entry in entries {
        let path = entry.map_err(|error| refused(directory, error))?.path();
        let metadata = fs::symlink_metadata(&path).map_err(|error| refused(&path, error))?;
        check_owner(&path, &metadata)?;
        if metadata.is_dir() {
            check_entries(&path)?;
        } else if !metadata.is_file() || metadata.nlink() != 1 {
            return Err(refused(&path, "it is a link"));
        }
    }
    Ok(())
}

fn refused(path: &Path, why: impl std::fmt::Display) -> SandboxError {
    SandboxError::Cache {
        path: PathBuf::from(path),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn check(prepare: impl FnOnce(&Path), expected: &str) {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let cache = parent.path().join("cache");
        prepare(&cache);
        let outcome = open(&cache).map_or_else(|error| error.to_string(), |_| "open".to_owned());
        assert!(outcome.ends_with(expected), "{outcome}");
    }

    fn directory_with_mode(path: &Path, mode: u32) {
        fs::create_dir(path).expect("a directory");
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn directory_is_made_for_the_host_alone() {
        check(|_| {}, "open");
        check(|path| directory_with_mode(path, 0o700), "open");
    }

    #[test]
    fn directory_that_others_reach_is_refused() {
        check(|path| directory_with_mode(path, 0o750), "(`chmod 700`)");
    }

    #[test]
    fn links_are_refused() {
        check(
            |path| symlink("/tmp", path).expect("a link"),
            "it is not a directory",
        );
        let with_link = |path: &Path| {
            directory_with_mode(path, 0o700);
            symlink("/etc/hostname", path.join("entry")).expect("a link");
        };
        check(with_link, "it is a link");
    }
}
