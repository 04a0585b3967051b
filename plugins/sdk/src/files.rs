//! Files in a granted directory. Paths are relative, `/`-separated UTF-8.
//!
//! ```no_run
//! use sopwith::files::{Directory, Replace};
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let backups = Directory::new("backups");
//! for meta in backups.walk("").include(["*.zst"]).depth_max(1).entries()? {
//!     let meta = meta?;
//!     sopwith::info!(bytes = meta.bytes, "found `{}`", meta.path);
//! }
//! backups.replace("latest.json", "{}", Replace::always().with_mode(0o640))?;
//! # Ok(())
//! # }
//! ```

mod replace;
mod walk;

pub use replace::Replace;
pub use walk::{Entries, Walk};

use crate::bindings::sopwith::plugin::files as host;
use crate::{Context, Error, ErrorKind, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use host::Meta;

/// The name of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Directory(String);

crate::resource_name!(Directory);

impl Directory {
    /// A walk through what lies beneath `path`, in the order of names.
    pub fn walk(&self, path: &str) -> Walk<'_> {
        Walk::new(self, path)
    }

    /// What is known of a file without its content.
    pub fn stat(&self, path: &str) -> Result<Meta> {
        Ok(host::stat(self.name(), path)?)
    }

    /// Whether there is anything of this name.
    pub fn exists(&self, path: &str) -> Result<bool> {
        match self.stat(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The digest (`sha256:…`) of a file.
    pub fn digest(&self, path: &str) -> Result<String> {
        Ok(host::digest(self.name(), path)?)
    }

    /// The whole of a small file; `limit` where it has more than so many bytes.
    pub fn read(&self, path: &str, bytes_max: u64) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let offset = content.len() as u64;
            // One byte more, so that a file that is too large shows.
            let part = self.read_part(path, offset, bytes_max - offset + 1)?;
            if part.is_empty() {
                return Ok(content);
            }
            content.extend(part);
            if content.len() as u64 > bytes_max {
                let message = format!("file `{path}` has more than {bytes_max} bytes");
                return Err(Error::new(ErrorKind::Limit, message));
            }
        }
    }

    /// The whole of a small text.
    pub fn read_text(&self, path: &str, bytes_max: u64) -> Result<String> {
        let content = self.read(path, bytes_max)?;
        String::from_utf8(content).with_context(|| format!("file `{path}`"))
    }

    /// Some bytes of a file; none at its end.
    pub fn read_part(&self, path: &str, offset: u64, bytes_max: u64) -> Result<Vec<u8>> {
        Ok(host::read(self.name(), path, offset, bytes_max)?)
    }

    /// Replaces the whole file, durably, in one step; see [`Replace`] for the ways.
    pub fn replace(&self, path: &str, content: impl AsRef<[u8]>, how: Replace) -> Result<()> {
        let Replace { expected, mode } = how;
        let (name, content) = (self.name(), content.as_ref());
        Ok(host::replace(name, path, content, expected.as_deref(), mode)?)
    }

    /// Renames, never over an existing name.
    pub fn rename(&self, path: &str, to: &str) -> Result<()> {
        Ok(host::rename(self.name(), path, to)?)
    }

    /// Cuts a file off at this length.
    pub fn truncate(&self, path: &str, bytes: u64) -> Result<()> {
        Ok(host::truncate(self.name(), path, bytes)?)
    }

    /// Removes a file, a link or an empty directory.
    pub fn remove(&self, path: &str) -> Result<()> {
        Ok(host::remove(self.name(), path)?)
    }

    /// Makes a directory.
    pub fn make_directory(&self, path: &str, mode: Option<u32>) -> Result<()> {
        Ok(host::make_directory(self.name(), path, mode)?)
    }

    /// Sets the mode of a file or a directory.
    pub fn set_mode(&self, path: &str, mode: u32) -> Result<()> {
        Ok(host::set_mode(self.name(), path, mode)?)
    }
}

impl Meta {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == "file"
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == "directory"
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// When its content last changed.
    pub fn modified(&self) -> Result<Timestamp> {
        let modified = self.modified_at.parse();
        modified.with_context(|| format!("the time of file `{}`", self.path))
    }

    /// Where it leads, if it is a link.
    pub fn link_target(&self) -> Option<&str> {
        crate::pair(&self.extra, "link-target")
    }
}
