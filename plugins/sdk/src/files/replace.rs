//! The ways of replacing a file.

/// How a file is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replace {
    pub(super) expected: Option<String>,
    pub(super) mode: Option<u32>,
}

impl Replace {
    /// Whatever is there, and also where nothing is.
    pub fn always() -> Self {
        Self::default()
    }

    /// `conflict` where there is a file already.
    pub fn nothing() -> Self {
        Self::digest("")
    }

    /// `conflict` unless the old content has this digest.
    pub fn digest(digest: impl Into<String>) -> Self {
        let expected = Some(digest.into());
        Self { expected, mode: None }
    }

    /// Gives the file this mode; else an old file's stays.
    #[must_use]
    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }
}
