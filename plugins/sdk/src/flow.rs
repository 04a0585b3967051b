//! Bytes that move inside the host, from a source through stages to a sink.
//!
//! ```no_run
//! use sopwith::flow::{Flow, IfExists};
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let receipt = Flow::from_database("app")?
//!     .compress_zstd(3)?
//!     .to_file("backups", "app.db.zst", IfExists::Fail)?;
//! sopwith::info!(bytes = receipt.bytes_written, "the backup is written");
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::flow as host;
use crate::commands::Call;
use crate::{Context, Result};
use std::collections::BTreeMap;

pub use host::Receipt;

/// A source with its stages, on the way to its one sink.
#[derive(Debug)]
#[must_use = "nothing flows without a sink"]
pub struct Flow {
    pipe: host::Pipe,
    mode: Option<u32>,
}

/// What happens where the sink's name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// The flow fails with `conflict`.
    Fail,
    /// The new file takes the place of the old one.
    Replace,
}

impl Flow {
    fn new(pipe: host::Pipe) -> Self {
        Self { pipe, mode: None }
    }

    /// From bytes of the plugin's own.
    pub fn from_bytes(content: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self::new(host::Pipe::from_bytes(content.as_ref())?))
    }

    /// From a file.
    pub fn from_file(directory: impl AsRef<str>, path: &str) -> Result<Self> {
        Ok(Self::new(host::Pipe::from_file(directory.as_ref(), path)?))
    }

    /// From a tar archive of what lies beneath `path`, in the order of names.
    pub fn from_tree(
        directory: impl AsRef<str>,
        path: &str,
        include_globs: &[String],
        exclude_globs: &[String],
    ) -> Result<Self> {
        let directory = directory.as_ref();
        let pipe = host::Pipe::from_tree(directory, path, include_globs, exclude_globs)?;
        Ok(Self::new(pipe))
    }

    /// From a consistent online snapshot, taken while others write.
    pub fn from_database(database: impl AsRef<str>) -> Result<Self> {
        Ok(Self::new(host::Pipe::from_database(database.as_ref())?))
    }

    /// From the standard output of a command; fails at the end unless the command exits with 0.
    pub fn from_command(command: impl Into<Call>) -> Result<Self> {
        let call = command.into();
        Ok(Self::new(host::Pipe::from_command(
            &call.command,
            &call.arguments,
        )?))
    }

    /// Compresses, at a level from 1 to 19; once in a flow.
    pub fn compress_zstd(self, level: i32) -> Result<Self> {
        self.pipe.compress("zstd", level)?;
        Ok(self)
    }

    /// Undoes the compression, once in a flow; not of what was written with a window of more than
    /// 8 MiB, as `zstd` does with `--long` and `--ultra`.
    pub fn decompress_zstd(self) -> Result<Self> {
        self.pipe.decompress("zstd")?;
        Ok(self)
    }

    /// Fails at the end, leaving no sink behind, unless the bytes that reach the sink have this
    /// digest.
    pub fn expect_digest(self, digest: &str) -> Result<Self> {
        self.pipe.expect(digest)?;
        Ok(self)
    }

    /// Gives the file that becomes the sink this mode.
    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Into a file, which appears whole or not at all.
    pub fn to_file(self, directory: impl AsRef<str>, path: &str, if_exists: IfExists) -> Result<Receipt> {
        let if_exists = match if_exists {
            IfExists::Fail => "fail",
            IfExists::Replace => "replace",
        };
        let directory = directory.as_ref();
        Ok(self.pipe.to_file(directory, path, if_exists, self.mode)?)
    }

    /// Into the place of a whole database.
    pub fn to_database(self, database: impl AsRef<str>) -> Result<Receipt> {
        Ok(self.pipe.to_database(database.as_ref())?)
    }

    /// Into the standard input of a command, which has to read all of it and to exit with 0.
    pub fn to_command(self, command: impl Into<Call>) -> Result<Receipt> {
        let call = command.into();
        Ok(self.pipe.to_command(&call.command, &call.arguments)?)
    }

    /// Into nothing: to read it through, for its digest.
    pub fn to_nothing(self) -> Result<Receipt> {
        Ok(self.pipe.to_nothing()?)
    }
}

impl Receipt {
    /// The rows of each table of the database that was copied.
    pub fn rows(&self) -> Result<Option<BTreeMap<String, u64>>> {
        let rows = self.extra("rows").map(serde_json::from_str).transpose();
        rows.context("the receipt's `rows`")
    }

    /// The digest of the schema of the database that was copied.
    pub fn schema_digest(&self) -> Option<&str> {
        self.extra("schema-digest")
    }

    fn extra(&self, name: &str) -> Option<&str> {
        crate::pair(&self.extra, name)
    }
}
