//! Databases of a run's own, which are gone at its end.

use crate::trouble::file_failure;
use rusqlite::Connection;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use sopwith_core::run::RunId;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database.
pub(crate) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Scratch databases of one run at once.
const SCRATCHES_MAX: usize = 64;
/// What an empty one takes: its first page.
const EMPTY_BYTES: u64 = 4 << 10;

/// How often the removal of a directory is tried that does not stay empty.
const REMOVALS_MAX: u32 = 100;

/// The scratch databases of one run, in a directory with its id as the name.
pub(crate) struct Scratches {
    directory: PathBuf,
    bytes_max: u64,
}

impl Scratches {
    pub(crate) fn of_run(scratch_directory: &Path, run: RunId, bytes_max: u64) -> Self {
        Self {
            directory: scratch_directory.join(run.to_string()),
            bytes_max,
        }
    }

    /// Makes an empty database and returns its number.
    pub(crate) fn create(&self) -> Answer<u32> {
        make_private(&self.directory).map_err(|error| file_failure(&error, "make a scratch database"))?;
        let numbers = self
            .numbers()
            .map_err(|error| file_failure(&error, "make a scratch database"))?;
        let numbers: Vec<_> = numbers.collect();
        if numbers.len() >= SCRATCHES_MAX {
            let message = format!("a run may have {SCRATCHES_MAX} scratch databases at once");
            return Err(Failure::limit("scratch", message).hint("discard those that are done with"));
        }
        if self.bytes() + EMPTY_BYTES > self.bytes_max {
            let max = self.bytes_max;
            let message =
                format!("scratch databases may have {max} bytes together, and there is no room for one more");
            return Err(Failure::limit("scratch", message)
                .hint("raise `scratch` under [limits] if the work needs it"));
        }
        let number = numbers.iter().max().unwrap_or(&0) + 1;
        let made = Connection::open(self.file(number))
            // Writes the first page, without which the file is empty and no database.
            .and_then(|connection| connection.pragma_update(None, "user_version", 0));
        made.map_err(|error| Failure::host(format!("cannot make a scratch database: {error}")))?;
        Ok(number)
    }

    /// The path of the one with this number.
    pub(crate) fn path(&self, number: &str) -> Answer<PathBuf> {
        let unknown = || {
            let message = format!("this run has no scratch database `scratch:{number}`");
            Failure::new(FailureKind::NotFound, Blame::Plugin, message)
        };
        let path = self.file(number.parse().map_err(|_| unknown())?);
        if path.is_file() { Ok(path) } else { Err(unknown()) }
    }

    pub(crate) fn discard(&self, number: &str) -> Answer<()> {
        let path = self.path(number)?;
        fs::remove_file(&path).map_err(|error| file_failure(&error, "remove a scratch database"))?;
        for suffix in BESIDE {
            let _ = fs::remove_file(with_suffix(&path, suffix));
        }
        Ok(())
    }

    /// How large this one may become, with what the others leave.
    pub(crate) fn room_for(&self, path: &Path) -> u64 {
        self.bytes_max.saturating_sub(self.bytes_but_for(Some(path)))
    }

    /// What they all take now, and the temporary files of sessions.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes_but_for(None)
    }

    fn bytes_but_for(&self, path: Option<&Path>) -> u64 {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        entries
            .filter(|entry| Some(entry.path().as_path()) != path)
            .filter_map(|entry| entry.metadata().ok())
            .map(|metadata| metadata.len())
            .sum()
    }

    /// Where everything of the run lies, temporary files too.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn file(&self, number: u32) -> PathBuf {
        self.directory.join(format!("{number}.db"))
    }

    fn numbers(&self) -> io::Result<impl Iterator<Item = u32>> {
        let names = fs::read_dir(&self.directory)?
            .flatten()
            .map(|entry| entry.file_name());
        Ok(names.filter_map(|name| name.to_str()?.strip_suffix(".db")?.parse().ok()))
    }
}

/// Makes a directory that only the host's user may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether there may be something of one run.
pub(crate) fn has_run(scratch_directory: &Path, run: RunId) -> bool {
    let looked = fs::symlink_metadata(scratch_directory.join(run.to_string()));
    !looked.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Removes everything of one run.
pub(crate) fn remove_run(scratch_directory: &Path, run: RunId) -> io::Result<()> {
    let directory = scratch_directory.join(run.to_string());
    let mut removed = fs::remove_dir_all(&directory);
    for _ in 0..REMOVALS_MAX {
        // A session that is coming to its end has put something there meanwhile.
        if removed.as_ref().map_err(io::Error::kind) != Err(io::ErrorKind::DirectoryNotEmpty) {
            break;
        }
        removed = fs::remove_dir_all(&directory);
    }
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes everything of runs that are none of these.
pub(crate) fn sweep(scratch_directory: &Path, live: &[RunId]) -> io::Result<()> {
    for entry in fs::read_dir(scratch_directory)? {
        let name = entry?.file_name();
        // What does not bear the name of a run is not ours.
        let run = name.to_str().and_then(|name| name.parse::<RunId>().ok());
        if let Some(run) = run.filter(|run| !live.contains(run)) {
            remove_run(scratch_directory, run)?;
        }
    }
    Ok(())
}

/// A path with something added to its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    PathBuf::from(text)
}
