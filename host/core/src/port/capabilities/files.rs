//! Files in granted directories.

use super::{Answer, Pairs};
use async_trait::async_trait;
use jiff::Timestamp;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Relative to the directory.
    pub path: String,
    /// `file`, `directory`, `link`, `other`.
    pub kind: String,
    /// Its size.
    pub bytes: u64,
    /// Its permission bits.
    pub mode: u32,
    /// The number of its owner.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// The name of its owner, the number where there is none.
    pub owner: String,
    /// The name of its group, the number where there is none.
    pub group: String,
    /// When its content changed last.
    pub modified_at: Timestamp,
    /// `sha256:…` where it was asked for.
    pub digest: Option<String>,
    /// The first bytes, as many as were asked for.
    pub head: Vec<u8>,
    /// Known names: `link-target`.
    pub extra: Pairs,
}

/// Files in granted directories.
#[async_trait]
pub trait Files: Send + Sync {
    /// Walks in the order of names.
    async fn walk(
        &self,
        directory: &str,
        path: &str,
        include: Vec<String>,
        exclude: Vec<String>,
        options: Pairs,
    ) -> Answer<Box<dyn Inventory>>;
    /// Looks at one.
    async fn stat(&self, directory: &str, path: &str) -> Answer<Meta>;
    /// `sha256:…` of its content.
    async fn digest(&self, directory: &str, path: &str) -> Answer<String>;
    /// A piece of it.
    async fn read(&self, directory: &str, path: &str, offset: u64, bytes_max: u64) -> Answer<Vec<u8>>;
    /// Puts new content in its place, durably, in one step.
    async fn replace(
        &self,
        directory: &str,
        path: &str,
        content: Vec<u8>,
        expected: Option<String>,
        mode: Option<u32>,
    ) -> Answer<()>;
    /// Gives it a name that is free.
    async fn rename(&self, directory: &str, path: &str, to: &str) -> Answer<()>;
    /// Cuts it off.
    async fn truncate(&self, directory: &str, path: &str, bytes: u64) -> Answer<()>;
    /// Removes a file, a link or an empty directory.
    async fn remove(&self, directory: &str, path: &str) -> Answer<()>;
    /// Makes a directory.
    async fn make_directory(&self, directory: &str, path: &str, mode: Option<u32>) -> Answer<()>;
    /// Sets its permission bits.
    async fn set_mode(&self, directory: &str, path: &str, mode: u32) -> Answer<()>;
}

/// Files that are still to be listed.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// The next ones; none at the end.
    async fn next(&mut self, entries_max: u32) -> Answer<Vec<Meta>>;
}
