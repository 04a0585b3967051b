//! Reads what is in a file, with secrets covered.

use crate::redaction::Mask;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Reads a piece with all secrets covered, also those that reach into it or out of it.
pub(super) fn read_masked(file: &File, offset: u64, bytes: u64, mask: &Mask) -> io::Result<Vec<u8>> {
    if bytes == 0 {
        return Ok(Vec::new());
    }
    let reach = mask.reach() as u64;
    let start = offset.saturating_sub(reach);
    let length = |bytes: u64| usize::try_from(bytes).unwrap_or(0);
    let mut window = vec![0; length(offset - start + bytes + reach)];
    let read = read_up_to(file, &mut window, start)?;
    window.truncate(read);
    mask.cover(&mut window);
    let mut content = window.split_off(length(offset - start).min(read));
    content.truncate(length(bytes));
    Ok(content)
}

/// Reads until the buffer is full or the file has come to its end.
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
