//! The corpus: a folder of cases beside the target.

use crate::case::Case;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

/// The cases of a folder, in the order of their names.
pub(crate) fn all<C: Case>(folder: &Path) -> Vec<(PathBuf, C)> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("the corpus `{}` cannot be read: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of the corpus").path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let content = fs::read(&file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        let case = C::read(&content).unwrap_or_else(|| panic!("`{}` is no case", file.display()));
        (file, case)
    };
    files.into_iter().map(read).collect()
}

/// Keeps a case that broke the property.
pub(crate) fn keep<C: Case>(folder: &Path, case: &[u8]) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    case.hash(&mut hasher);
    let file = folder.join(format!("found-{:016x}.{}", hasher.finish(), C::EXTENSION));
    fs::write(&file, case)?;
    Ok(file)
}
