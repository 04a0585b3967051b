//! Paths: made absolute where they are used, and shown as the operator would write them.

use std::path::{Component, Path, PathBuf};

/// The path with the working directory in front where it is relative.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The path, relative to the working directory where it lies beneath.
pub(crate) fn as_written(path: &Path) -> PathBuf {
    let directory = std::env::current_dir().ok();
    // A service works in the root, and everything lies beneath that.
    let directory = directory.filter(|directory| directory.parent().is_some());
    match directory.and_then(|directory| path.strip_prefix(directory).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    }
}

/// A path as a shell reads it as one word.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// What a file in this folder means by a path, without `..` unless a link gives that a meaning.
pub(crate) fn from(folder: &Path, written: &str) -> PathBuf {
    let joined = folder.join(written);
    let plain = without_parents(&joined);
    if real(&joined) == real(&plain) {
        plain
    } else {
        joined
    }
}

/// The path without links and `..`, as far as it exists.
pub(crate) fn real(path: &Path) -> PathBuf {
    let mut ancestors = path.ancestors();
    let found = ancestors.find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    match found {
        Some((ancestor, real)) => {
            let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
            without_parents(&real.join(rest))
        }
        None => without_parents(path),
    }
}

fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_left_out_unless_a_link_gives_them_a_meaning() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("elsewhere/config")).unwrap();
        std::fs::create_dir(root.join("config")).unwrap();
        std::os::unix::fs::symlink(root.join("elsewhere/config"), root.join("link")).unwrap();
        let shop = "../data/./shop.db";
        assert_eq!(from(&root.join("config"), shop), root.join("data/shop.db"));
        let through_link = from(&root.join("link"), shop);
        assert!(through_link.ends_with("link/../data/shop.db"), "{through_link:?}");
        assert_eq!(real(&through_link), root.join("elsewhere/data/shop.db"));
    }
}
