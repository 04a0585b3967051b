//! Catches what a guest prints, line by line, for the run's log.

use sopwith_core::port::capabilities::{Capabilities, Cover};
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
/// What a guest may write at once: as many lines as can be kept quickly once its time is up.
const WRITE_BYTES_MAX: usize = 4 << 10;
/// How much is remembered for the message of a panic: of its beginning, or else of the end.
const LAST_BYTES: usize = 4 << 10;
/// How a panic begins, as Rust prints it.
pub(crate) const PANIC: &str = "panicked at ";

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
    /// At which end of that something is missing.
    missing: Option<Missing>,
}

#[derive(Clone, Copy)]
enum Missing {
    Before,
    Behind,
}

impl Lines {
    fn add(&mut self, bytes: &[u8], cover: Option<&dyn Cover>) {
        let reach = cover.map_or(0, Cover::reach);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(LINE_BYTES_MAX) {
                self.begun.extend_from_slice(piece);
                while self.begun.len() > LINE_BYTES_MAX + reach {
                    self.end_piece(cover);
                }
                if piece.ends_with(b"\n") {
                    self.end_line();
                }
            }
        }
        self.remember(bytes);
    }

    /// A secret that the end of a piece goes through is covered in this one and in the next.
    fn end_piece(&mut self, cover: Option<&dyn Cover>) {
        if let Some(cover) = cover {
            cover.cover(&mut self.begun);
        }
        let rest = self.begun.split_off(LINE_BYTES_MAX);
        self.end_line();
        self.begun = rest;
    }

    /// A panic says first where it was and why, and may go on for as long as it likes.
    fn remember(&mut self, bytes: &[u8]) {
        self.last.extend_from_slice(bytes);
        let panics = self
            .last
            .windows(PANIC.len())
            .rposition(|piece| piece == PANIC.as_bytes());
        if let Some(panic) = panics {
            if panic > 0 {
                self.last.drain(..panic);
                self.missing = None;
            }
            if self.last.len() > LAST_BYTES {
                self.missing = Some(Missing::Behind);
                self.last.truncate(LAST_BYTES);
            }
        } else if self.last.len() > LAST_BYTES {
            self.missing = Some(Missing::Before);
            self.last.drain(..self.last.len() - LAST_BYTES);
        }
    }

    /// What is remembered with every secret covered. One that was cut through is not recognised, so
    /// there is as much left out beside a cut as it may have.
    fn covered(&self, cover: Option<&dyn Cover>) -> Vec<u8> {
        let mut last = self.last.clone();
        let Some(cover) = cover else { return last };
        cover.cover(&mut last);
        let cut = cover.reach().min(last.len());
        match self.missing {
            Some(Missing::Before) => last.split_off(cut),
            Some(Missing::Behind) => {
                last.truncate(last.len() - cut);
                last
            }
            None => last,
        }
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

    /// The beginning of a panic, or else the end of what was printed.
    pub(crate) fn last_words(&self) -> String {
        let cover = self.capabilities.cover();
        String::from_utf8_lossy(&self.lines().covered(cover.as_deref())).into_owned()
    }

    async fn keep(&self) {
        let whole = std::mem::take(&mut self.lines().whole);
        for line in whole {
            self.capabilities.journal().printed(self.stream, &line).await;
        }
    }

    fn permitted(&self) -> usize {
        let waiting = !self.lines().whole.is_empty();
        if waiting { 0 } else { WRITE_BYTES_MAX }
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
        if bytes.len() > self.permitted() {
            return Err(StreamError::trap("more was written than was permitted"));
        }
        let cover = self.capabilities.cover();
        self.lines().add(&bytes, cover.as_deref());
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    /// Nothing may be written before whole lines are in the log, so that memory is bounded.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.permitted())
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
        let cover = self.capabilities.cover();
        self.lines().add(bytes, cover.as_deref());
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
            lines.add(bytes, None);
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
    fn beginning_of_the_last_panic_is_remembered_or_else_the_end() {
        let remembered = |writes: &[&str]| {
            let mut lines = Lines::default();
            for text in writes {
                lines.add(text.as_bytes(), None);
            }
            assert!(lines.last.len() <= LAST_BYTES);
            String::from_utf8(lines.last).expect("text")
        };
        let long = "x".repeat(400 << 10);
        assert!(remembered(&[&long, "the end"]).ends_with("xxthe end"));
        assert!(
            remembered(&["thread panic", "ked at src/lib.rs:1:\n", &long])
                .starts_with("panicked at src/lib.rs:1:\nxx")
        );
        assert_eq!(
            remembered(&["panicked at one", &long, "panicked at two"]),
            "panicked at two"
        );
    }

    /// Covers the word `hush`.
    struct Hush;

    impl Cover for Hush {
        fn reach(&self) -> usize {
            4
        }

        fn cover(&self, bytes: &mut [u8]) {
            while let Some(place) = bytes.windows(4).position(|word| word == b"hush") {
                bytes[place..place + 4].fill(b'*');
            }
        }
    }

    #[test]
    fn secret_that_the_memory_of_the_last_words_cuts_through_is_left_out() {
        for before in 0..8 {
            for text in [
                format!("{}hush{}", "x".repeat(before), "x".repeat(LAST_BYTES - 3)),
                format!("{PANIC}{}hush", "x".repeat(LAST_BYTES - PANIC.len() - before)),
            ] {
                let mut lines = Lines::default();
                lines.add(text.as_bytes(), None);
                let last = String::from_utf8(lines.covered(Some(&Hush))).expect("text");
                assert!(
                    !last.trim_start_matches(PANIC).contains(['h', 'u', 's']),
                    "{last}"
                );
                assert!(last.len() >= LAST_BYTES - 8);
            }
        }
    }

    #[test]
    fn secret_that_the_end_of_a_piece_goes_through_is_covered() {
        for before in LINE_BYTES_MAX - 8..LINE_BYTES_MAX + 8 {
            let text = format!("{}hush{}\n", "x".repeat(before), "x".repeat(LINE_BYTES_MAX));
            for size in [100, text.len()] {
                let mut lines = Lines::default();
                for piece in text.as_bytes().chunks(size) {
                    lines.add(piece, Some(&Hush));
                }
                let kept = lines.whole.concat();
                let journal = kept.replace("hush", "****");
                assert_eq!(journal, text.trim_end().replace("hush", "****"), "{before}");
                assert!(lines.whole.len() > 1 && lines.whole.iter().all(|line| !line.ends_with("hu")));
            }
        }
    }

    #[test]
    fn line_without_end_is_kept_in_pieces() {
        let flood = "x".repeat(LINE_BYTES_MAX + 3);
        check(&[flood.as_bytes()], &[&flood[3..]], "xxx");
    }
}
