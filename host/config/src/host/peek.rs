//! Reads `data_directory` and `key_file` alone, so that commands find a host whose configuration is
//! broken.

use super::host_key::KEY_FILE;
use super::{DATA_DIRECTORY, environment};
use crate::document::Document;
use crate::inputs::{HOST_FILE, TEXT_BYTES_MAX, read_bounded};
use crate::path;
use crate::source::Source;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};

/// Why the data directory is not known.
#[derive(Debug, thiserror::Error)]
pub enum PeekError {
    /// The file is not there or cannot be read.
    #[error("`{}` cannot be read: {error}", file.display())]
    Unreadable {
        /// The host's file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// What it says cannot be made out.
    #[error("`{}` does not tell its `{key}`: {why}", file.display())]
    Unclear {
        /// The host's file.
        file: PathBuf,
        /// What it does not tell.
        key: &'static str,
        /// Why.
        why: String,
    },
}

/// Reads `[host] data_directory` of a folder's `sopwith.toml` and overlooks all other errors.
///
/// Where it is left out, the data directory is `state` beside the file.
pub fn peek_data_directory(folder: &Path) -> Result<PathBuf, PeekError> {
    peek(folder, "data_directory", DATA_DIRECTORY)
}

/// Reads `[host] key_file` of a folder's `sopwith.toml` and overlooks all other errors.
///
/// Where it is left out, the key is `key` beside the file.
pub fn peek_key_file(folder: &Path) -> Result<PathBuf, PeekError> {
    peek(folder, "key_file", KEY_FILE)
}

fn peek(folder: &Path, key: &'static str, default: &str) -> Result<PathBuf, PeekError> {
    let folder = path::absolute(folder);
    let file = path::as_written(&folder.join(HOST_FILE));
    let read = read_bounded(&folder.join(HOST_FILE), TEXT_BYTES_MAX);
    let text = read.and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    });
    let text = match text {
        Ok(text) => text,
        Err(error) => return Err(PeekError::Unreadable { file, error }),
    };
    let unclear = |why: String| PeekError::Unclear {
        file: file.clone(),
        key,
        why,
    };
    let (document, _) = Document::parse(Source::new(&file, text));
    let written = document.value.pointer(&format!("/host/{key}"));
    match written {
        Some(Value::String(text)) => {
            let path = environment::filled(text).map_err(|problem| unclear(problem.message))?;
            Ok(path::from(&folder, &path))
        }
        Some(_) => Err(unclear("it is not a string".to_owned())),
        // In a file with broken lines one of them may have been it.
        None if !document.is_whole() => Err(unclear("the file is broken".to_owned())),
        None => Ok(path::from(&folder, default)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peek(text: &str) -> Option<PathBuf> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(HOST_FILE), text).unwrap();
        let found = peek_data_directory(folder.path()).ok()?;
        Some(
            found
                .strip_prefix(folder.path())
                .map(Path::to_owned)
                .unwrap_or(found),
        )
    }

    #[test]
    fn the_data_directory_is_found_in_spite_of_other_errors() {
        assert_eq!(peek("[host]\nnope = 1\n"), Some("state".into()));
        let broken = "[host]\ndata_directory = \"/var/lib/x\"\nnope = \n";
        assert_eq!(peek(broken), Some("/var/lib/x".into()));
    }

    #[test]
    fn a_data_directory_is_never_guessed() {
        assert_eq!(peek("[host]\ndata_directory = 5\n"), None);
        assert_eq!(peek("[host\ndata_directory = \"x\"\n"), None);
    }
}
