//! What a case is: a value that can be kept in a file.

use std::fmt::Debug;

/// What a property is tried on.
pub trait Case: Debug + Clone {
    /// What the names of its files end with.
    const EXTENSION: &'static str;

    /// The content of its file.
    fn written(&self) -> Vec<u8>;

    /// Reads the content of a file, as far as it is one.
    fn read(content: &[u8]) -> Option<Self>;
}

impl Case for String {
    const EXTENSION: &'static str = "txt";

    fn written(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }

    fn read(content: &[u8]) -> Option<Self> {
        Self::from_utf8(content.to_vec()).ok()
    }
}

/// What stands in front of the name of each part.
const HEAD: &str = "======== ";

/// Several texts, each with a name, in one file that a person can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(pub Vec<(String, String)>);

impl Parts {
    /// The part of this name; an empty one if there is none.
    pub fn part(&self, name: &str) -> &str {
        let part = self.0.iter().find(|(known, _)| known == name);
        part.map_or("", |(_, text)| text)
    }
}

impl Case for Parts {
    const EXTENSION: &'static str = "txt";

    fn written(&self) -> Vec<u8> {
        let parts = self.0.iter();
        let written = parts.map(|(name, text)| format!("{HEAD}{name}\n{text}\n"));
        written.collect::<String>().into_bytes()
    }

    fn read(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?.strip_prefix(HEAD)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let between = format!("\n{HEAD}");
        let parts = text.split(&between).map(|part| {
            let (name, text) = part.split_once('\n').unwrap_or((part, ""));
            (name.to_owned(), text.to_owned())
        });
        Some(Self(parts.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_were_written() {
        for texts in [["", ""], ["a\n", "\n\nb"], ["a", "======= b"]] {
            let named = ["x.toml", "procedures/y.toml"].into_iter().zip(texts);
            let parts = Parts(named.map(|(name, text)| (name.into(), text.into())).collect());
            assert_eq!(Parts::read(&parts.written()), Some(parts));
        }
    }
}
