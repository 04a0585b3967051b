//! Reads a file as a stream of `wasi:io`.

use super::opened::OpenFile;
use crate::memory::Held;
use bytes::Bytes;
use cap_std::fs::FileExt as _;
use sopwith_core::port::capabilities::Cover;
use std::io;
use std::mem;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn_blocking};

/// What is read of a file at once.
pub(super) const READ_BYTES_MAX: usize = 64 << 10;
/// Threads that read for one guest at once, however many streams it has.
const READS_AT_ONCE_MAX: usize = 4;

/// Lets so many of one guest's streams read at once.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READS_AT_ONCE_MAX)))
    }
}

/// A file that is read from one end to the other.
pub(super) struct FileStream {
    file: Arc<OpenFile>,
    position: u64,
    state: State,
    turns: Turns,
    /// For the bytes that were read ahead.
    _held: Held,
}

enum State {
    Idle,
    Reading(AbortOnDropJoinHandle<io::Result<Bytes>>),
    Read(Bytes),
    Failed(io::Error),
    Ended,
}

impl FileStream {
    /// `held` stands for [`READ_BYTES_MAX`].
    pub(super) fn new(file: Arc<OpenFile>, position: u64, turns: Turns, held: Held) -> Self {
        Self {
            file,
            position,
            state: State::Idle,
            turns,
            _held: held,
        }
    }

    fn begin(&mut self, turn: OwnedSemaphorePermit) {
        let (file, position) = (Arc::clone(&self.file), self.position);
        self.state = State::Reading(spawn_blocking(move || {
            let read = read_at(&file, READ_BYTES_MAX, position);
            drop(turn);
            read.map(Bytes::from)
        }));
    }
}

/// What is in a file from this place on, as far as one read goes; nothing at the end. Secrets are
/// covered.
pub(super) fn read_at(file: &OpenFile, bytes_max: usize, position: u64) -> io::Result<Vec<u8>> {
    let bytes_max = bytes_max.min(READ_BYTES_MAX);
    match file.cover() {
        Some(cover) if bytes_max > 0 => read_covered(file, bytes_max, position, &*cover),
        _ => read_once(file, bytes_max, position),
    }
}

/// Reads what stands around the piece as well, since a secret may reach into it or out of it.
fn read_covered(file: &OpenFile, bytes_max: usize, position: u64, cover: &dyn Cover) -> io::Result<Vec<u8>> {
    let reach = cover.reach();
    let before = usize::try_from(position).map_or(reach, |position| reach.min(position));
    let wanted = before + bytes_max + reach;
    let mut window = Vec::with_capacity(wanted);
    while window.len() < wanted {
        let at = position - before as u64 + window.len() as u64;
        let more = read_once(file, wanted - window.len(), at)?;
        if more.is_empty() {
            break;
        }
        window.extend(more);
    }
    cover.cover(&mut window);
    let mut piece = window.split_off(before.min(window.len()));
    piece.truncate(bytes_max);
    Ok(piece)
}

fn read_once(file: &OpenFile, bytes_max: usize, position: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; bytes_max];
    loop {
        match file.read_at(&mut bytes, position) {
            Ok(read) => {
                bytes.truncate(read);
                return Ok(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {
        if matches!(self.state, State::Idle)
            && let Ok(turn) = Arc::clone(&self.turns.0).acquire_owned().await
        {
            self.begin(turn);
        }
        if let State::Reading(reading) = &mut self.state {
            self.state = match reading.await {
                Ok(bytes) if bytes.is_empty() => State::Ended,
                Ok(bytes) => State::Read(bytes),
                Err(error) => State::Failed(error),
            };
        }
    }
}

#[async_trait]
impl InputStream for FileStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match &mut self.state {
            State::Idle => {
                if size > 0
                    && let Ok(turn) = Arc::clone(&self.turns.0).try_acquire_owned()
                {
                    self.begin(turn);
                }
                Ok(Bytes::new())
            }
            State::Reading(_) => Ok(Bytes::new()),
            State::Read(bytes) => {
                let piece = bytes.split_to(bytes.len().min(size));
                self.position += piece.len() as u64;
                if bytes.is_empty() {
                    self.state = State::Idle;
                }
                Ok(piece)
            }
            State::Failed(_) => match mem::replace(&mut self.state, State::Ended) {
                State::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
                _ => Err(StreamError::Closed),
            },
            State::Ended => Err(StreamError::Closed),
        }
    }

    /// Waits for the thread that reads, so that a guest cannot leave any number of them behind.
    async fn cancel(&mut self) {
        if let State::Reading(reading) = mem::replace(&mut self.state, State::Ended) {
            let _ = reading.cancel().await;
        }
    }
}
