//! What the host and the process of a session say to each other: frames over one socket.

use super::super::policy::Policy;
use super::super::value::Cell;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, VerifyDepth};
use std::io::{self, Read, Write};
use std::time::Duration;

/// More than the largest page of rows and the largest call of a guest take.
const FRAME_BYTES_MAX: usize = 40 << 20;
/// What stands before a frame: the number of its bytes.
pub(super) const HEAD_BYTES: usize = size_of::<u32>();

/// The first frame: what the process is for.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sql) struct Order {
    pub(in crate::sql) task: Task,
    /// As the plugin calls the database.
    pub(in crate::sql) database: String,
    /// The bytes of its path, which is absolute.
    pub(in crate::sql) path: Vec<u8>,
    /// How large it may become; only of a scratch.
    pub(in crate::sql) bytes_max: Option<u64>,
    pub(in crate::sql) bounds: Bounds,
}

/// What becomes of the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sql) enum Task {
    /// A session, which serves requests until the socket is closed.
    Serve(Policy),
    Describe,
    Schema,
    Verify(VerifyDepth),
    /// Pages for each request, until the socket is closed.
    Snapshot,
    Settle,
}

/// What the process may use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sql) struct Bounds {
    pub(in crate::sql) rows: u64,
    pub(in crate::sql) query_bytes: u64,
    /// Of the engine itself.
    pub(in crate::sql) memory_bytes: u64,
    /// Of everything in the directory of the run.
    pub(in crate::sql) scratch_bytes: u64,
}

/// What a session can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sql) enum Request {
    Query(Call),
    Next {
        cursor: u64,
        rows_max: u32,
        time: Option<Duration>,
    },
    /// Has no answer.
    Close {
        cursor: u64,
    },
    Execute(Call),
    Commit,
    Schema,
    /// Of a snapshot.
    Piece,
}

/// A statement with its parameters and its time.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sql) struct Call {
    pub(in crate::sql) statement: String,
    pub(in crate::sql) parameters: Vec<Cell>,
    pub(in crate::sql) time: Option<Duration>,
}

/// An answer, and the most bytes that the run's directory had so far.
#[derive(Serialize, Deserialize)]
struct Reply<T> {
    /// A failure is JSON, which alone can leave out fields.
    answer: Result<T, String>,
    scratch_bytes: u64,
}

/// A frame with this in it.
pub(super) fn frame(content: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; HEAD_BYTES];
    frame = postcard::to_extend(content, frame).map_err(io::Error::other)?;
    let bytes = frame.len() - HEAD_BYTES;
    if bytes > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let head = u32::try_from(bytes).map_err(io::Error::other)?;
    frame[..HEAD_BYTES].copy_from_slice(&head.to_le_bytes());
    Ok(frame)
}

/// The number of bytes that a head announces.
pub(super) fn length(head: [u8; HEAD_BYTES]) -> io::Result<usize> {
    let bytes = u32::from_le_bytes(head) as usize;
    if bytes > FRAME_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the frame is too large",
        ));
    }
    Ok(bytes)
}

/// Reads one frame; fails where the socket is closed.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut head = [0; HEAD_BYTES];
    from.read_exact(&mut head)?;
    let mut content = vec![0; length(head)?];
    from.read_exact(&mut content)?;
    postcard::from_bytes(&content).map_err(io::Error::other)
}

/// Writes an answer.
pub(super) fn reply<T: Serialize>(
    to: &mut impl Write,
    answer: Answer<T>,
    scratch_bytes: u64,
) -> io::Result<()> {
    let answer = answer.map_err(|failure| serde_json::to_string(&failure).unwrap_or_default());
    to.write_all(&frame(&Reply {
        answer,
        scratch_bytes,
    })?)
}

/// Reads an answer from the content of a frame.
pub(super) fn answer<T: DeserializeOwned>(content: &[u8]) -> io::Result<(Answer<T>, u64)> {
    let reply: Reply<T> = postcard::from_bytes(content).map_err(io::Error::other)?;
    let answer = match reply.answer {
        Ok(value) => Ok(value),
        Err(json) => Err(serde_json::from_str::<Failure>(&json)?),
    };
    Ok((answer, reply.scratch_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_a_failure_too() {
        let page = vec![vec![Cell::Null, Cell::Integer(-7), Cell::Real(0.5)]];
        for told in [Ok(page), Err(Failure::limit("scratch", "full").hint("make room"))] {
            let mut sent = Vec::new();
            reply(&mut sent, told.clone(), 42).unwrap();
            let head = sent[..HEAD_BYTES].try_into().unwrap();
            assert_eq!(length(head).unwrap(), sent.len() - HEAD_BYTES);
            let received = answer::<Vec<Vec<Cell>>>(&sent[HEAD_BYTES..]).unwrap();
            assert_eq!(received, (told, 42));
        }
    }

    #[test]
    fn a_head_that_promises_too_much_is_refused_before_anything_is_read() {
        assert!(length(u32::MAX.to_le_bytes()).is_err());
        let promise = [u32::MAX.to_le_bytes().as_slice(), b"x"].concat();
        assert!(read::<Request>(&mut promise.as_slice()).is_err());
    }
}
