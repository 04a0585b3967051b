//! Verifies the file of an export, on all cores and in bounded memory.

use sopwith_core::audit::{Anchors, Checked, ExportVerifier, Found, Summary, Trust, Unsound, check_line};
use std::io::{self, Read};
use std::thread;

/// So much of the file is looked at in one go.
const BATCH_BYTES: usize = 8 << 20;
/// No line that the host writes is longer.
const LINE_BYTES_MAX: usize = 64 << 20;
/// More threads would only wait for the file.
const THREADS_MAX: usize = 8;

/// Verifies an export; the inner error is the first thing that is wrong with it.
pub(crate) fn verify(
    mut file: impl Read,
    trust: &Trust,
    anchors: Anchors,
) -> io::Result<Result<Summary, Found>> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS_MAX);
    let mut verifier = ExportVerifier::new(anchors);
    let mut batch = Vec::new();
    loop {
        let at_end = fill(&mut file, &mut batch)?;
        let whole = batch
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole == 0 {
            let cut = match at_end {
                true if batch.is_empty() => return Ok(verifier.finish()),
                true => "it has no end: the file was cut off",
                false => "it is longer than any line of an export",
            };
            return Ok(verifier.take(Err(cut.into())).and_then(|()| verifier.finish()));
        }
        for checked in check(&batch[..whole], trust, threads) {
            if let Err(found) = verifier.take(checked) {
                return Ok(Err(found));
            }
        }
        batch.drain(..whole);
    }
}

/// Reads until a batch is full and has the end of a line; says whether the file is at its end.
fn fill(file: &mut impl Read, batch: &mut Vec<u8>) -> io::Result<bool> {
    let mut wanted = BATCH_BYTES;
    loop {
        let more = wanted.saturating_sub(batch.len()) as u64;
        let before = batch.len();
        let read = file.take(more).read_to_end(batch)?;
        if (read as u64) < more {
            return Ok(true);
        }
        if batch[before..].contains(&b'\n') || batch.len() > LINE_BYTES_MAX {
            return Ok(false);
        }
        wanted += BATCH_BYTES;
    }
}

/// Checks lines on several threads; what comes back is in their order.
fn check(lines: &[u8], trust: &Trust, threads: usize) -> Vec<Result<Checked, Unsound>> {
    let parts = parts(lines, threads);
    thread::scope(|scope| {
        let checking: Vec<_> = parts
            .into_iter()
            .map(|part| {
                scope.spawn(move || {
                    part.split_inclusive(|byte| *byte == b'\n')
                        .map(|line| check_line(&line[..line.len() - 1], trust))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        checking
            .into_iter()
            .flat_map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Parts of about the same size, each of whole lines.
fn parts(lines: &[u8], count: usize) -> Vec<&[u8]> {
    let size = lines.len() / count + 1;
    let mut parts = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let from = size.min(rest.len()) - 1;
        let end = rest[from..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |end| from + end + 1);
        let (part, others) = rest.split_at(end);
        parts.push(part);
        rest = others;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_lines_and_nothing_is_lost() {
        let lines: Vec<u8> = (0..100)
            .flat_map(|number| format!("{}\n", "x".repeat(number % 17)).into_bytes())
            .collect();
        for count in 1..20 {
            let parts = parts(&lines, count);
            assert!(parts.len() <= count, "{count}");
            assert!(parts.iter().all(|part| part.ends_with(b"\n")), "{count}");
            assert_eq!(parts.concat(), lines);
        }
    }

    #[test]
    fn what_is_no_export_is_told_and_holds_nothing_up() {
        let verify = |file: &[u8]| {
            super::verify(file, &Trust::Any, Anchors::default())
                .unwrap()
                .unwrap_err()
        };
        assert_eq!(verify(b"").to_string(), "line 1: the file is empty");
        assert_eq!(
            verify(b"x").to_string(),
            "line 1: it has no end: the file was cut off"
        );
        assert!(verify(b"x\n").what.contains("no line of an export"));
        let endless = io::repeat(b'x');
        let found = super::verify(endless, &Trust::Any, Anchors::default())
            .unwrap()
            .unwrap_err();
        assert!(found.what.contains("longer than any line"), "{found}");
    }
}
