//! Where the clinic keeps its files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// The database and the attachments in a clinic's directory.
#[derive(Debug, Clone)]
pub struct Places {
    /// The SQLite database, `app.db`.
    pub database: PathBuf,
    /// The directory `attachments`, to which the paths in the database are relative.
    pub attachments: PathBuf,
}

impl Places {
    /// Names the places in `directory` and touches nothing.
    pub fn within(directory: &Path) -> Self {
        Self {
            database: directory.join("app.db"),
            attachments: directory.join("attachments"),
        }
    }

    /// Creates the directories that are missing.
    pub(crate) fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.attachments).map_err(Error::file(&self.attachments))
    }
}
