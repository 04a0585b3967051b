//! Plugins that somebody went back with: their bytes take the place of the file in the folder, over restarts,
//! until another file lies there.

use crate::diagnostic::{Diagnostic, Severity};
use crate::durable;
use crate::inputs::{Inputs, PluginFile};
use crate::path::as_written;
use crate::shelf;
use crate::signature::SignatureFile;
use serde::{Deserialize, Serialize};
use sopwith_core::name::PluginName;
use sopwith_core::port::RolledBack;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "rollbacks.json";

/// All of a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Rollbacks {
    file: PathBuf,
    entries: BTreeMap<PluginName, Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    told: RolledBack,
    /// That of the bytes, which is verified again when they are used.
    signature: Option<String>,
}

impl Rollbacks {
    pub(crate) fn read(data_directory: &Path) -> io::Result<Self> {
        let file = data_directory.join(FILE);
        let entries = match std::fs::read(&file) {
            Ok(content) => serde_json::from_slice(&content)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { file, entries })
    }

    pub(crate) fn write(&self) -> io::Result<()> {
        durable::write(&self.file, &serde_json::to_vec_pretty(&self.entries)?)
    }

    pub(crate) fn insert(&mut self, plugin: PluginName, told: RolledBack, signature: Option<String>) {
        self.entries.insert(plugin, Entry { told, signature });
    }

    pub(crate) fn remove(&mut self, plugin: &PluginName) {
        self.entries.remove(plugin);
    }

    /// The one that holds for this file.
    pub(crate) fn of(&self, plugin: &PluginName, file: &PluginFile) -> Option<&RolledBack> {
        let told = &self.entries.get(plugin)?.told;
        (told.from == file.digest).then_some(told)
    }

    /// Forgets those that no longer hold, since another file lies in the folder.
    pub(crate) fn keep_those_of(data_directory: &Path, inputs: &Inputs) -> io::Result<()> {
        let mut rollbacks = Self::read(data_directory)?;
        let before = rollbacks.entries.len();
        rollbacks
            .entries
            .retain(|plugin, entry| inputs.rolled_back.get(plugin) == Some(&entry.told));
        if rollbacks.entries.len() == before {
            return Ok(());
        }
        rollbacks.write()
    }
}

/// Who reads a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A host, which puts in force what it reads.
    Host,
    /// Somebody who only wants to know, and may be another user than the host's.
    Looker,
}

/// Puts the bytes of before in the place of the files that they hold for. What cannot be done is an error: the
/// file that somebody went back from must not come into force because of it.
pub(crate) fn applied(mut inputs: Inputs, data_directory: &Path, reader: Reader) -> Inputs {
    let rollbacks = match Rollbacks::read(data_directory) {
        Ok(rollbacks) => rollbacks,
        Err(error) => {
            inputs.problems.push(unreadable(data_directory, &error, reader));
            return inputs.digested();
        }
    };
    let shelf = shelf::directory_of(data_directory);
    for (plugin, entry) in rollbacks.entries {
        let Some(file) = inputs.plugins.get(plugin.as_str()) else {
            continue;
        };
        if file.digest != entry.told.from {
            continue;
        }
        match shelf::take(&shelf, entry.told.to) {
            Ok(bytes) => {
                let signature = entry
                    .signature
                    .map_or(SignatureFile::Missing, SignatureFile::Text);
                let before = PluginFile::new(file.path.clone(), bytes.into(), signature);
                inputs.plugins.insert(plugin.to_string(), before);
                inputs.rolled_back.insert(plugin, entry.told);
            }
            Err(problem) => {
                let message = format!("the plugin cannot be rolled back: {}", problem.message);
                let problem = Diagnostic::about(as_written(&file.path), message);
                let hint = format!("put another file there, or `sopwith plugins rollback {plugin} --undo`");
                inputs.problems.push(problem.hint(hint));
            }
        }
    }
    inputs.digested()
}

/// Whoever may not read what is the host's alone still wants to know of everything else.
fn unreadable(data_directory: &Path, error: &io::Error, reader: Reader) -> Diagnostic {
    let file = as_written(&data_directory.join(FILE));
    let problem = Diagnostic::about(file, format!("the rollbacks cannot be read: {error}"));
    if reader == Reader::Looker && error.kind() == io::ErrorKind::PermissionDenied {
        let hint =
            "this goes by the files in `plugins/`; as the host's user it goes by what was rolled back, too";
        return Diagnostic {
            severity: Severity::Note,
            ..problem.hint(hint)
        };
    }
    let hint = "nothing comes into force without them: give the file to the host's user, or bring it back from a \
                backup of the data directory";
    problem.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_may_be_kept_out_and_a_host_may_not() {
        let told = |kind: io::ErrorKind, reader| unreadable(Path::new("state"), &kind.into(), reader);
        let denied = io::ErrorKind::PermissionDenied;
        assert_eq!(told(denied, Reader::Looker).severity, Severity::Note);
        for wrong in [
            told(denied, Reader::Host),
            told(io::ErrorKind::InvalidData, Reader::Looker),
        ] {
            assert_eq!(wrong.severity, Severity::Error);
            assert!(!wrong.hint.unwrap().contains("remove"));
        }
    }
}
