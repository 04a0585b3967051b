//! Which processes have a file open.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A process that has one of the files open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) process: u32,
    /// Its command, as the system shows it.
    pub(super) name: String,
}

/// What a look at all processes came to.
pub(super) struct Users {
    pub(super) found: Vec<User>,
    /// Processes of other users that could not be looked at.
    pub(super) hidden: usize,
}

/// Looks for processes that have one of these files open.
pub(super) fn of(paths: &[PathBuf]) -> io::Result<Users> {
    let identity = |path: &Path| {
        fs::metadata(path)
            .ok()
            .map(|metadata| (metadata.dev(), metadata.ino()))
    };
    let files: Vec<_> = paths.iter().filter_map(|path| identity(path)).collect();
    let mut users = Users {
        found: Vec::new(),
        hidden: 0,
    };
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match fs::read_dir(entry.path().join("fd")) {
            Ok(descriptors) => {
                let mut open = descriptors
                    .flatten()
                    .filter_map(|descriptor| identity(&descriptor.path()));
                if open.any(|file| files.contains(&file)) {
                    let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                    let name = name.trim().to_owned();
                    users.found.push(User { process, name });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => users.hidden += 1,
            // It has ended meanwhile.
            Err(_) => {}
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_the_file_open_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = [file.path().to_owned()];
        let own = |users: Users| users.found.iter().any(|user| user.process == std::process::id());
        assert!(own(of(&path).unwrap()));
        let path = [file.into_temp_path().to_path_buf()];
        assert!(!own(of(&path).unwrap()));
    }
}
