//! What becomes of bytes on their way.

use super::pipeline::{CHUNK_BYTES, Halt, Outlet};
use bytes::{Buf as _, Bytes};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Stage};
use std::io::{self, Read, Write as _};
use std::sync::mpsc::Receiver;
use zstd::zstd_safe::CParameter;

/// What is beyond takes a window, and so memory, of another order.
const LEVEL_MAX: i32 = 19;
/// From here on several cores are worth the work of starting them.
const PARALLEL_BYTES_MIN: u64 = 4 << 20;
/// The highest level at which several cores work, and how many: each of them takes memory as the
/// level says, and the pieces that they work at do too.
const PARALLEL_LEVEL_MAX: i32 = 8;
const PARALLEL_CORES_MAX: usize = 4;
const PARALLEL_PIECE_BYTES: u32 = 1 << 20;
/// The levels above this one would take up to 100 MiB. With a window of 4 MiB and tables of 24 MiB
/// no level takes more than 32 MiB in all, and the result is hardly larger.
const NARROW_LEVEL_MIN: i32 = 10;
const NARROW_WINDOW_LOG: u32 = 22;
const NARROW_CHAIN_LOG: u32 = 22;
const NARROW_HASH_LOG: u32 = 21;
/// The largest window that a stream is read with, as a power of two: what `zstd` itself writes
/// at any level up to 19. A decompressor takes as much memory as the window has.
const WINDOW_LOG_MAX: u32 = 23;

/// A part of what zstd says of a stream that wants a larger one.
const WINDOW_TOO_LARGE: &str = "too much memory";

/// Fails for stages that do not exist, or that are there twice: each takes memory of the host.
pub(super) fn check(stages: &[Stage]) -> Answer<()> {
    let mut seen = Vec::new();
    for stage in stages {
        if let Stage::CompressZstd(level) = stage
            && !(1..=LEVEL_MAX).contains(level)
        {
            let message = format!("`{level}` is no level of compression: levels go from 1 to {LEVEL_MAX}");
            return Err(Failure::invalid(message));
        }
        let kind = std::mem::discriminant(stage);
        if seen.contains(&kind) {
            return Err(Failure::invalid(
                "a pipe may compress once and decompress once, and no more",
            ));
        }
        seen.push(kind);
    }
    Ok(())
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
            let why = error.to_string().to_lowercase();
            let message = format!("the bytes are no zstd stream that can be read whole: {why}");
            let failure = Failure::new(FailureKind::Invalid, Blame::Outside, message);
            if why.contains(WINDOW_TOO_LARGE) {
                failure.hint("compress it without `--long` and `--ultra`: a window may have 8 MiB")
            } else {
                failure
            }
        })
    })
}

fn compress(level: i32, bytes: Option<u64>, input: &Receiver<Bytes>, outlet: &mut Outlet) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(outlet, level)?;
    // Whoever decompresses it is told when it is damaged.
    encoder.include_checksum(true)?;
    if level >= NARROW_LEVEL_MIN {
        encoder.set_parameter(CParameter::WindowLog(NARROW_WINDOW_LOG))?;
        encoder.set_parameter(CParameter::ChainLog(NARROW_CHAIN_LOG))?;
        encoder.set_parameter(CParameter::HashLog(NARROW_HASH_LOG))?;
    }
    if level <= PARALLEL_LEVEL_MAX && bytes.is_none_or(|bytes| bytes >= PARALLEL_BYTES_MIN) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        encoder.multithread(u32::try_from(cores.min(PARALLEL_CORES_MAX)).unwrap_or(1))?;
        encoder.set_parameter(CParameter::JobSize(PARALLEL_PIECE_BYTES))?;
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
    decoder.window_log_max(WINDOW_LOG_MAX)?;
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
