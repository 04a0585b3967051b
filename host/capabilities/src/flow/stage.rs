//! What becomes of bytes on their way.

use super::pipeline::{CHUNK_BYTES, Halt, Outlet};
use bytes::{Buf as _, Bytes};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Stage};
use std::io::{self, Read, Write as _};
use std::sync::mpsc::Receiver;

/// From here on several cores are worth the work of starting them.
const PARALLEL_BYTES_MIN: u64 = 4 << 20;
/// The highest level at which several cores work; each of them takes memory as the level says.
const PARALLEL_LEVEL_MAX: i32 = 15;

/// Fails for a stage that does not exist.
pub(super) fn check(stage: &Stage) -> Answer<()> {
    match stage {
        Stage::CompressZstd(level) if !(1..=22).contains(level) => Err(Failure::invalid(format!(
            "`{level}` is no level of zstd: levels go from 1 to 22"
        ))),
        _ => Ok(()),
    }
}

/// Carries out one stage until its input ends.
pub(super) fn run(
    stage: &Stage,
    source_bytes: Option<u64>,
    input: &Receiver<Bytes>,
    outlet: &mut Outlet,
) -> Result<(), Halt> {
    let done = match stage {
        Stage::CompressZstd(level) => compress(*level, source_bytes, input, outlet),
        Stage::DecompressZstd => decompress(input, outlet),
    };
    done.map_err(|error| {
        outlet.halted(|| {
            let message = format!(
                "the bytes are no whole zstd stream: {}",
                error.to_string().to_lowercase()
            );
            Failure::new(FailureKind::Invalid, Blame::Outside, message)
        })
    })
}

fn compress(level: i32, bytes: Option<u64>, input: &Receiver<Bytes>, outlet: &mut Outlet) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(outlet, level)?;
    // Whoever decompresses it is told when it is damaged.
    encoder.include_checksum(true)?;
    if level <= PARALLEL_LEVEL_MAX && bytes.is_none_or(|bytes| bytes >= PARALLEL_BYTES_MIN) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        encoder.multithread(u32::try_from(cores).unwrap_or(1))?;
    }
    for chunk in input {
        encoder.write_all(&chunk)?;
    }
    encoder.finish()?;
    Ok(())
}

fn decompress(input: &Receiver<Bytes>, outlet: &mut Outlet) -> io::Result<()> {
    let inlet = io::BufReader::with_capacity(CHUNK_BYTES, Inlet::new(input));
    let mut decoder = zstd::Decoder::with_buffer(inlet)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match decoder.read(&mut chunk)? {
            0 => return Ok(()),
            read => outlet.write_all(&chunk[..read])?,
        }
    }
}

/// Reads from a queue.
struct Inlet<'q> {
    queue: &'q Receiver<Bytes>,
    chunk: Bytes,
}

impl<'q> Inlet<'q> {
    fn new(queue: &'q Receiver<Bytes>) -> Self {
        Self {
            queue,
            chunk: Bytes::new(),
        }
    }
}

impl Read for Inlet<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.queue.recv() {
                Ok(chunk) => self.chunk = chunk,
                Err(_) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
