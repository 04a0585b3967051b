//! A configuration folder with a data directory beside it.

use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const HOST: &str = r#"
[databases.app]
url = "sqlite:app.db"

[directories.backups]
path = "backups"
"#;

const BACKUP: &str = r#"
plugin = "backup"

[[schedule]]
cron = "15 4 * * *"

[grants]
databases = { app = "read" }
directories = { backups = "write" }

[actions.restore.grants]
databases = { app = "replace" }

[settings]
database = "app"
to = "backups"
"#;

/// A configuration with one good procedure, `clinic-backup`.
pub(crate) struct Folder {
    root: TempDir,
}

impl Folder {
    /// Its `sopwith.toml`.
    pub(crate) const HOST: &str = HOST;

    pub(crate) fn new() -> Self {
        let folder = Self {
            root: tempfile::tempdir().unwrap(),
        };
        folder.write("sopwith.toml", HOST);
        folder.write("app.db", "");
        folder.write("procedures/clinic-backup.toml", BACKUP);
        for directory in ["plugins", "backups"] {
            fs::create_dir(folder.path().join(directory)).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("config")
    }

    pub(crate) fn data_directory(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Writes a file as an editor does, whole, by a rename: a host may read it at any moment.
    pub(crate) fn write(&self, file: &str, content: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_extension("beside");
        fs::write(&beside, content).unwrap();
        fs::rename(beside, path).unwrap();
    }

    /// Edits the good procedure.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        assert!(BACKUP.contains(from), "`{from}` is in no line");
        self.write("procedures/clinic-backup.toml", &BACKUP.replace(from, to));
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }
}
