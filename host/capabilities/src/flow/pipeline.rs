//! The threads of a pipe and the short queues between them, so that the slowest sets the pace.

use super::sink::Consume;
use super::source::{Produce, Produced};
use super::stage;
use crate::stop::Watch;
use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Stage};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// What goes through a queue at once; large enough that the queue costs nothing.
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait in one queue.
const QUEUE_CHUNKS: usize = 8;

/// How far the source is.
pub(super) struct Progress {
    done: AtomicU64,
    total: Option<u64>,
}

impl Progress {
    pub(super) fn new(total: Option<u64>) -> Self {
        Self {
            done: AtomicU64::new(0),
            total,
        }
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }
}

/// What went through a pipe.
pub(super) struct Moved {
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
    pub(super) source_digest: Digest,
    pub(super) sink_digest: Digest,
}

/// Why a thread ended before its input did.
pub(super) enum Halt {
    /// It failed.
    Failed(Failure),
    /// Nobody takes its output any more; whoever that was knows why.
    Deserted,
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Where a thread puts its output.
pub(super) struct Outlet {
    queues: Vec<SyncSender<Bytes>>,
    watch: Arc<Watch>,
    buffer: BytesMut,
    halt: Option<Halt>,
}

impl Outlet {
    fn new(queues: Vec<SyncSender<Bytes>>, watch: &Arc<Watch>) -> Self {
        Self {
            queues,
            watch: Arc::clone(watch),
            buffer: BytesMut::with_capacity(CHUNK_BYTES),
            halt: None,
        }
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Puts bytes into the current chunk, and sends it when it is full.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Halt> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.send()?;
            }
        }
        Ok(())
    }

    /// Sends what is left.
    pub(super) fn send(&mut self) -> Result<(), Halt> {
        self.watch.check()?;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK_BYTES)).freeze();
        for queue in &self.queues {
            queue.send(full.clone()).map_err(|_| Halt::Deserted)?;
        }
        Ok(())
    }

    /// Why a write to it failed.
    pub(super) fn halted(&mut self, otherwise: impl FnOnce() -> Failure) -> Halt {
        self.halt.take().unwrap_or_else(|| Halt::Failed(otherwise()))
    }
}

impl io::Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.put(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(halt) => {
                self.halt = Some(halt);
                Err(io::Error::other("the pipe has halted"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Moves everything. The sink has it all afterwards, but has not finished.
pub(super) fn run(
    source: Box<dyn Produce>,
    stages: &[Stage],
    sink: &mut dyn Consume,
    watch: &Arc<Watch>,
    progress: &Progress,
) -> Answer<(Moved, Produced)> {
    let size = source.size();
    std::thread::scope(|scope| {
        let (to_digest, for_digest) = sync_channel(QUEUE_CHUNKS);
        let (to_next, mut input) = sync_channel(QUEUE_CHUNKS);
        let mut outlet = Outlet::new(vec![to_digest, to_next], watch);
        let producing = spawn(scope, move || {
            let produced = source.run(&mut outlet)?;
            outlet.send()?;
            Ok(produced)
        });
        let digesting = spawn(scope, move || Ok(digest(&for_digest, progress)));
        let mut working = Vec::new();
        for stage in stages {
            let (output, next) = sync_channel(QUEUE_CHUNKS);
            let mut outlet = Outlet::new(vec![output], watch);
            working.push(spawn(scope, move || {
                stage::run(stage, size, &input, &mut outlet)?;
                outlet.send()
            }));
            input = next;
        }
        let digests = !stages.is_empty();
        let sinking = spawn(scope, move || drain(sink, &input, digests, watch));

        let (produced, digested, stored) = (join(producing), join(digesting), join(sinking));
        let worked: Result<Vec<()>, Halt> = working.into_iter().map(join).collect();
        let halt = match (produced, digested, worked, stored) {
            (Ok(produced), Ok((source_digest, bytes_read)), Ok(_), Ok((sink_digest, bytes_written))) => {
                let moved = Moved {
                    bytes_read,
                    bytes_written,
                    source_digest,
                    sink_digest: sink_digest.unwrap_or(source_digest),
                };
                return Ok((moved, produced));
            }
            (produced, digested, worked, stored) => {
                let halts = [produced.err(), worked.err(), stored.err(), digested.err()];
                // Those who were deserted only tell that somebody else failed.
                halts
                    .into_iter()
                    .flatten()
                    .find(|halt| matches!(halt, Halt::Failed(_)))
            }
        };
        match halt {
            Some(Halt::Failed(failure)) => Err(failure),
            _ => Err(Failure::host("the pipe broke off")),
        }
    })
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> Result<T, Halt> + Send + 'scope,
) -> ScopedJoinHandle<'scope, Result<T, Halt>> {
    scope.spawn(work)
}

fn join<T>(handle: ScopedJoinHandle<'_, Result<T, Halt>>) -> Result<T, Halt> {
    let panicked = |_| Err(Halt::Failed(Failure::host("a thread of a pipe ended early")));
    handle.join().unwrap_or_else(panicked)
}

fn digest(input: &Receiver<Bytes>, progress: &Progress) -> (Digest, u64) {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    for chunk in input {
        hasher.update(&chunk);
        bytes += chunk.len() as u64;
        progress.done.store(bytes, Relaxed);
    }
    (Digest::from_hasher(hasher), bytes)
}

/// Writes everything into the sink; its digest is that of the source where there are no stages.
fn drain(
    sink: &mut dyn Consume,
    input: &Receiver<Bytes>,
    digests: bool,
    watch: &Watch,
) -> Result<(Option<Digest>, u64), Halt> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    for chunk in input {
        watch.check()?;
        if digests {
            hasher.update(&chunk);
        }
        sink.write(&chunk)?;
        bytes += chunk.len() as u64;
    }
    Ok((digests.then(|| Digest::from_hasher(hasher)), bytes))
}
