//! What a command prints: read all the time, so that it never waits, and kept up to a limit.

use super::running::Ending;
use crate::redaction::{Mask, Stream};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::io::PipeReader;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio_util::task::AbortOnDropHandle;

/// How long a command that has ended may keep its outputs open: whoever it handed them to outside
/// of its family is not waited for.
const OPEN_MAX: Duration = Duration::from_secs(1);
/// What is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// What is kept of an output that is being read.
pub(crate) struct Kept {
    shared: Arc<Mutex<Text>>,
    reading: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    /// The most bytes that were kept at once.
    most: usize,
    is_truncated: bool,
}

impl Kept {
    /// Reads an output to its end. The first bytes are kept, so many as are given; later ones take
    /// the room of those that were taken. With a stream, what it covers is never kept.
    pub(crate) fn of(output: PipeReader, bytes_max: usize, mut stream: Option<Stream>) -> Answer<Self> {
        let opened = Receiver::from_owned_fd(output.into());
        let mut output = opened.map_err(|error| unread(&error))?;
        let shared = Arc::new(Mutex::new(Text::default()));
        let text = Arc::clone(&shared);
        let reading = tokio::spawn(async move {
            let mut chunk = vec![0; CHUNK_BYTES];
            while let Ok(read @ 1..) = output.read(&mut chunk).await {
                match &mut stream {
                    Some(stream) => lock(&text).keep(&stream.next(&chunk[..read]), bytes_max),
                    None => lock(&text).keep(&chunk[..read], bytes_max),
                }
            }
            if let Some(stream) = &mut stream {
                lock(&text).keep(&stream.end(), bytes_max);
            }
        });
        Ok(Self {
            shared,
            reading: AbortOnDropHandle::new(reading),
        })
    }

    /// Waits until all of it was read; the command has ended.
    pub(crate) async fn ended(&mut self, clock: &dyn Clock) {
        if self.reading.is_finished() {
            return;
        }
        tokio::select! {
            _ = &mut self.reading => {}
            () = clock.sleep(OPEN_MAX) => {}
        }
    }

    /// The first bytes that are kept; there is room for others then.
    pub(crate) fn take(&self, bytes_max: usize) -> Vec<u8> {
        let mut text = lock(&self.shared);
        let count = text.bytes.len().min(bytes_max);
        text.bytes.drain(..count).collect()
    }

    /// The most bytes that were kept at once.
    pub(crate) fn most(&self) -> u64 {
        lock(&self.shared).most as u64
    }

    /// Whether some of it was not kept.
    pub(crate) fn is_truncated(&self) -> bool {
        lock(&self.shared).is_truncated
    }
}

impl Text {
    fn keep(&mut self, bytes: &[u8], bytes_max: usize) {
        let room = bytes_max.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.most = self.most.max(self.bytes.len());
        self.is_truncated |= bytes.len() > room;
    }
}

fn lock(text: &Mutex<Text>) -> MutexGuard<'_, Text> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn unread(error: &std::io::Error) -> Failure {
    Failure::host(format!("the output of a command cannot be read: {error}"))
}

/// Fails unless a command exited with 0; what it printed last says why.
pub(crate) fn judge(name: &str, ending: &Ending, stderr: &[u8], mask: &Mask) -> Answer<()> {
    if let Some(cause) = &ending.cause {
        return Err(cause.clone());
    }
    let how = match ending.signal {
        Some(signal) => format!("was ended by the signal {signal}"),
        None if ending.exit_code == 0 => return Ok(()),
        None => format!("exited with {}", ending.exit_code),
    };
    let words = last_words(&mask.bytes(stderr)).map(|words| format!(": {words}"));
    let message = format!("the command `{name}` {how}{}", words.unwrap_or_default());
    let failure = Failure::new(FailureKind::Failed, Blame::Outside, message);
    Err(failure.with("resource", format!("commands.{name}")))
}

/// The last line that says something, for a sentence.
fn last_words(text: &[u8]) -> Option<String> {
    const CHARACTERS_MAX: usize = 300;
    let text = String::from_utf8_lossy(text);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(CHARACTERS_MAX).collect())
}
