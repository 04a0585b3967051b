//! Catches what a guest prints, line by line, for the run's log.

use sopwith_core::port::capabilities::Capabilities;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// A line that is longer is kept in pieces.
const LINE_BYTES_MAX: usize = 8 << 10;
/// What a guest may write at once.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// How much of the end is remembered, for the message of a panic.
const LAST_BYTES: usize = 4 << 10;

/// One of a guest's standard streams.
#[derive(Clone)]
pub(crate) struct Printed {
    stream: &'static str,
    lines: Arc<Mutex<Lines>>,
    capabilities: Arc<dyn Capabilities>,
}

#[derive(Default)]
struct Lines {
    whole: Vec<String>,
    begun: Vec<u8>,
    last: Vec<u8>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(LINE_BYTES_MAX) {
                self.begun.extend_from_slice(piece);
                if piece.ends_with(b"\n") || self.begun.len() >= LINE_BYTES_MAX {
                    self.end_line();
                }
            }
        }
        self.last.extend_from_slice(bytes);
        let surplus = self.last.len().saturating_sub(LAST_BYTES);
        self.last.drain(..surplus);
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.begun);
        self.whole.push(line.trim_end_matches(['\r', '\n']).to_owned());
        self.begun.clear();
    }
}

impl Printed {
    pub(crate) fn new(stream: &'static str, capabilities: Arc<dyn Capabilities>) -> Self {
        Self {
            stream,
            lines: Arc::default(),
            capabilities,
        }
    }

    /// Puts what is left into the log.
    pub(crate) async fn end(&self) {
        {
            let mut lines = self.lines();
            if !lines.begun.is_empty() {
                lines.end_line();
            }
        }
        self.keep().await;
    }

    /// The end of what was printed.
    pub(crate) fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.lines().last).into_owned()
    }

    async fn keep(&self) {
        let whole = std::mem::take(&mut self.lines().whole);
        for line in whole {
            self.capabilities.journal().printed(self.stream, &line).await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for Printed {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("more was written than was permitted"));
        }
        self.lines().add(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    /// Nothing may be written before whole lines are in the log, so that memory is bounded.
    fn check_write(&mut self) -> StreamResult<usize> {
        let waiting = !self.lines().whole.is_empty();
        Ok(if waiting { 0 } else { WRITE_BYTES_MAX })
    }
}

#[async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {
        self.keep().await;
    }
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.lines().add(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(writes: &[&[u8]], whole: &[&str], begun: &str) {
        let mut lines = Lines::default();
        for bytes in writes {
            lines.add(bytes);
        }
        assert_eq!(lines.whole, whole);
        assert_eq!(String::from_utf8_lossy(&lines.begun), begun);
    }

    #[test]
    fn pieces_become_lines() {
        check(
            &[b"one", b" line\r\nan", b"other\n\nrest"],
            &["one line", "another", ""],
            "rest",
        );
    }

    #[test]
    fn line_without_end_is_kept_in_pieces() {
        let flood = "x".repeat(LINE_BYTES_MAX + 3);
        check(&[flood.as_bytes()], &[&flood[3..]], "xxx");
    }
}
