//! What can go wrong in the clinic.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// An error of the clinic.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused.
    #[error("the database refused: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database was made by another version of the clinic.
    #[error("the database has schema {found}, and this clinic needs schema {expected}")]
    Schema {
        /// What the database says.
        found: i32,
        /// What this clinic writes.
        expected: i32,
    },
    /// A file or directory could not be used.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The service could not listen.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the service ended before it was told to, or by a panic.
    #[error("the {part} did not end cleanly: {reason}")]
    Stop {
        /// Which part.
        part: &'static str,
        /// How it ended.
        reason: String,
    },
}

impl Error {
    /// Names the file that an input or output error is about.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
