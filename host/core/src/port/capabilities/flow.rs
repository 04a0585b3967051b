//! Moving bytes inside the host.

use super::{Answer, Pairs};
use crate::digest::Digest;
use async_trait::async_trait;
use std::time::Duration;

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parameters of the contract's `flow.pipe.from-…`")]
pub enum Source {
    /// The guest.
    Bytes(Vec<u8>),
    /// A file.
    File { directory: String, path: String },
    /// A tar archive of a directory.
    Tree {
        directory: String,
        path: String,
        include: Vec<String>,
        exclude: Vec<String>,
    },
    /// An online snapshot of a database.
    Database(String),
    /// The standard output of a command.
    Command { command: String, arguments: Pairs },
}

/// What becomes of the bytes on their way, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// zstd at this level.
    CompressZstd(i32),
    /// zstd backwards.
    DecompressZstd,
}

/// Where bytes go to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parameters of the contract's `flow.pipe.to-…`")]
pub enum Sink {
    /// A file.
    File {
        directory: String,
        path: String,
        if_exists: IfExists,
        mode: Option<u32>,
    },
    /// A whole database in the place of another.
    Database(String),
    /// The standard input of a command.
    Command { command: String, arguments: Pairs },
    /// Nowhere: for digests alone.
    Nothing,
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// It stays, and the call is `conflict`.
    Fail,
    /// The new one takes its place.
    Replace,
}

/// A source with its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// Where bytes come from.
    pub source: Source,
    /// What becomes of them.
    pub stages: Vec<Stage>,
    /// The digest that the bytes must have that reach the sink.
    pub expect: Option<Digest>,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes at the source.
    pub bytes_read: u64,
    /// Bytes at the sink.
    pub bytes_written: u64,
    /// `sha256:…` of the bytes at the source.
    pub source_digest: String,
    /// `sha256:…` of the bytes at the sink.
    pub sink_digest: String,
    /// How long it took.
    pub elapsed: Duration,
    /// What a person should know of a success.
    pub warnings: Vec<String>,
    /// Further names with values: `rows` and `schema-digest` of a database.
    pub extra: Pairs,
}

/// Moves bytes inside the host.
#[async_trait]
pub trait Flow: Send + Sync {
    /// Checks that the source may be used, before anything is built on it.
    async fn check(&self, source: &Source) -> Answer<()>;
    /// Moves the bytes; the sink appears whole or not at all.
    async fn move_bytes(&self, pipe: Pipe, sink: Sink) -> Answer<Receipt>;
}
