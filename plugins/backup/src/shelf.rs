//! The backups of one database in the directory, as their manifests tell.

use crate::manifest::{Compression, Manifest, SUFFIX};
use crate::settings::Settings;
use sopwith::files::{Directory, Replace};
use sopwith::flow::Flow;
use sopwith::{Blame, Error, ErrorKind, Result};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Room for some ten thousand tables.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// Whoever may read a backup may read the database.
pub(crate) const MODE: u32 = 0o600;

/// What lies in the directory.
pub(crate) struct Shelf {
    /// The size of each file by its name.
    files: BTreeMap<String, u64>,
    /// The newest first.
    backups: Vec<Backup>,
}

/// A backup, by the name of its file.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backup {
    /// The name of the file.
    pub(crate) name: String,
    /// What is known of it.
    pub(crate) manifest: Manifest,
    /// Whether there is a file of the size that it must have.
    pub(crate) intact: bool,
}

impl Shelf {
    /// Looks through the directory, and reads the manifests of the database's backups.
    pub(crate) fn scan(settings: &Settings) -> Result<Self> {
        let mut files = BTreeMap::new();
        for entry in settings.to.walk("").depth_max(1).entries()? {
            let entry = entry?;
            if entry.is_file() {
                files.insert(entry.path, entry.bytes);
            }
        }
        let mut shelf = Self {
            files,
            backups: Vec::new(),
        };
        let names = shelf.files.keys().filter_map(|path| path.strip_suffix(SUFFIX));
        for name in names.map(str::to_owned).collect::<Vec<_>>() {
            match read(&settings.to, &name) {
                Ok(Some(manifest)) if manifest.database == settings.database.name() => {
                    shelf.put(name, manifest);
                }
                Ok(_) => {}
                Err(error) if is_of_the_file(&error) => {
                    sopwith::warn!("the manifest of `{name}` is none of ours: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(shelf)
    }

    fn put(&mut self, name: String, manifest: Manifest) {
        let intact = self.files.get(&name) == Some(&manifest.file.bytes);
        self.replace(Backup {
            name,
            manifest,
            intact,
        });
    }

    /// Puts a backup in its place, and where there is one of its name, instead of it.
    pub(crate) fn replace(&mut self, backup: Backup) {
        self.backups.retain(|other| other.name != backup.name);
        self.backups.push(backup);
        self.backups
            .sort_by_key(|backup| Reverse(backup.manifest.started_at));
    }

    /// The backups, the newest first.
    pub(crate) fn backups(&self) -> &[Backup] {
        &self.backups
    }

    /// The backup of this name.
    pub(crate) fn backup(&self, name: &str) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.name == name)
    }

    /// Whether there is a file of this name.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Whether there is a manifest for this name, of whatever database.
    pub(crate) fn has_manifest(&self, name: &str) -> bool {
        self.files.contains_key(&manifest_of(name))
    }
}

impl Backup {
    /// The bytes of the database that was backed up, on their way out of the file.
    pub(crate) fn open(&self, directory: &Directory) -> Result<Flow> {
        let flow = Flow::from_file(directory, &self.name)?;
        match self.manifest.compression {
            Compression::None => Ok(flow),
            Compression::Zstd => flow.decompress_zstd(),
        }
    }

    /// Writes the manifest of a new backup, which makes it one.
    pub(crate) fn write(&self, directory: &Directory) -> Result<()> {
        let text = self.manifest.to_text()?;
        let how = Replace::nothing().with_mode(MODE);
        directory.replace(&manifest_of(&self.name), text, how)
    }

    /// Changes the manifest as it is now, and returns the backup as it is then; none where another
    /// run removed it, or changes it at this moment.
    pub(crate) fn change(
        &self,
        directory: &Directory,
        change: impl FnOnce(&mut Manifest),
    ) -> Result<Option<Self>> {
        let path = manifest_of(&self.name);
        let Some(digest) = or_absent(directory.digest(&path))? else {
            return Ok(None);
        };
        let present = read(directory, &self.name)?;
        let Some(mut manifest) = present.filter(|present| present.is_of_the_backup_of(&self.manifest)) else {
            return Ok(None);
        };
        change(&mut manifest);
        let text = manifest.to_text()?;
        match directory.replace(&path, text, Replace::digest(digest)) {
            Ok(()) => Ok(Some(Self {
                manifest,
                ..self.clone()
            })),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes file and manifest. The manifest says so first, so that whoever finds it without its
    /// file knows that nothing was lost. False where another run did, or changes it at this moment.
    pub(crate) fn remove(&self, directory: &Directory) -> Result<bool> {
        let run = sopwith::run::id();
        let marked = self.change(directory, |manifest| manifest.removed_by = Some(run))?;
        if marked.is_none() {
            return Ok(false);
        }
        or_absent(directory.remove(&self.name))?;
        or_absent(directory.remove(&manifest_of(&self.name)))?;
        Ok(true)
    }
}

fn manifest_of(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

/// What the manifest of this name says; none where there is none.
fn read(directory: &Directory, name: &str) -> Result<Option<Manifest>> {
    let text = or_absent(directory.read_text(&manifest_of(name), MANIFEST_BYTES_MAX))?;
    text.map(|text| Manifest::parse(&text)).transpose()
}

/// Whether it is the file that is wrong: a rotten one, or somebody else's, keeps no backup from being made.
fn is_of_the_file(error: &Error) -> bool {
    let wrong = matches!(
        error.kind,
        ErrorKind::Invalid | ErrorKind::Limit | ErrorKind::Failed
    );
    wrong && error.blame() != Some(Blame::Host)
}

fn or_absent<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error {
            kind: ErrorKind::NotFound,
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}
