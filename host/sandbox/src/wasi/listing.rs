//! Lists a directory for `wasi:filesystem`, some entries at a time.

use super::metadata::kind_of;
use super::opened::{OpenDirectory, Place};
use crate::memory::Held;
use cap_std::fs::{DirEntry, ReadDir};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use wasmtime_wasi::p2::bindings::filesystem::types::{DirectoryEntry, ErrorCode};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi::runtime::spawn_blocking;

/// Entries that are read at once.
const ENTRIES_AHEAD: usize = 64;
/// What a listing takes: the buffer of the system's library, and the entries that were read ahead,
/// each with a name of at most 255 bytes.
pub(super) const LISTING_BYTES: usize = (32 << 10) + ENTRIES_AHEAD * 512;

/// The entries of a directory that are still to come.
pub(super) struct Listing {
    /// None once the end was reached.
    rest: Option<ReadDir>,
    ahead: VecDeque<FsResult<DirectoryEntry>>,
    _place: Place,
    _held: Held,
}

impl Listing {
    /// `held` stands for [`LISTING_BYTES`].
    pub(super) async fn begin(directory: Arc<OpenDirectory>, place: Place, held: Held) -> io::Result<Self> {
        let rest = spawn_blocking(move || directory.entries()).await?;
        Ok(Self {
            rest: Some(rest),
            ahead: VecDeque::new(),
            _place: place,
            _held: held,
        })
    }

    pub(super) async fn next(&mut self) -> FsResult<Option<DirectoryEntry>> {
        if self.ahead.is_empty()
            && let Some(rest) = self.rest.take()
        {
            (self.rest, self.ahead) = spawn_blocking(move || read_ahead(rest)).await;
        }
        self.ahead.pop_front().transpose()
    }
}

fn read_ahead(mut rest: ReadDir) -> (Option<ReadDir>, VecDeque<FsResult<DirectoryEntry>>) {
    let entries: VecDeque<_> = rest
        .by_ref()
        .take(ENTRIES_AHEAD)
        .map(|entry| describe(&entry?))
        .collect();
    (Some(rest).filter(|_| !entries.is_empty()), entries)
}

fn describe(entry: &DirEntry) -> FsResult<DirectoryEntry> {
    let type_ = kind_of(entry.file_type()?);
    let name = entry.file_name().into_string();
    let name = name.map_err(|_| FsError::from(ErrorCode::IllegalByteSequence))?;
    Ok(DirectoryEntry { type_, name })
}
