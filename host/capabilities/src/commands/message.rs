//! What a host and the process that supervises a command for it say to each other: the order first,
//! with the streams of the command, then lines of JSON either way.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use sopwith_core::digest::Digest;
use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// Input, outputs, and the writing end of the input.
const STREAMS_MAX: usize = 4;

/// What is to be started.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The absolute path of the program.
    pub(super) program: PathBuf,
    /// The only bytes of the program that are started.
    pub(super) sha256: Option<Digest>,
    pub(super) arguments: Vec<OsString>,
    pub(super) directory: PathBuf,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// What the host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// The host has written all of the input. As long as it has not, the input stays open even when
    /// the host dies, so that a command never takes a part for the whole.
    CloseInput,
    /// The command is to end; after so many milliseconds it is killed.
    End { grace_ms: u64 },
}

/// What the supervising process tells.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The command runs.
    Started,
    /// It does not, and will not.
    Refused(Refusal),
    /// It has ended, and with it all that it started.
    Ended {
        exit: Exit,
        /// How many processes went on when it had ended.
        left_behind: usize,
        /// How many of them could not be ended.
        survivors: usize,
    },
}

/// Why a command was not started. Numbers are those of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    /// Its working directory cannot be entered.
    Directory(i32),
    /// Its program cannot be started.
    Program(i32),
    /// Its program cannot be read to be compared with its digest.
    Unreadable(i32),
    /// Its program has this digest and not the one that it has to have.
    Digest(Digest),
    /// The supervising process cannot do its work.
    Supervisor(i32),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Exit {
    /// With this code.
    Code(i32),
    /// By the signal of this number.
    Signal(i32),
}

/// The streams of a command.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    /// The writing end of its standard input, where the host writes to it.
    pub(super) input: Option<OwnedFd>,
}

impl Streams {
    /// Hands the streams to the process at the other end.
    pub(super) fn send(&self, socket: impl AsFd) -> io::Result<()> {
        let given = [&self.stdin, &self.stdout, &self.stderr].into_iter();
        let streams: Vec<_> = given.chain(&self.input).map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STREAMS_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&streams));
        // Streams travel with at least one byte; it has no meaning.
        sendmsg(socket, &[IoSlice::new(b" ")], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Takes what [`Self::send`] handed over.
    pub(super) fn receive(socket: impl AsFd) -> io::Result<Self> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STREAMS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let received = recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut byte)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        let mut streams = ancillary.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(streams) => streams.collect(),
            _ => Vec::new(),
        });
        let (stdin, stdout, stderr) = (streams.next(), streams.next(), streams.next());
        match (stdin, stdout, stderr) {
            (Some(stdin), Some(stdout), Some(stderr)) if !received.flags.contains(ReturnFlags::CTRUNC) => {
                Ok(Self {
                    stdin,
                    stdout,
                    stderr,
                    input: streams.next(),
                })
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A message as one line.
pub(super) fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("messages are plain data");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _, pipe};
    use std::os::unix::net::UnixStream;

    #[test]
    fn streams_arrive_in_their_order() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (stdin, input) = pipe().unwrap();
        let (mut reader, stdout) = pipe().unwrap();
        let stderr = stdout.try_clone().unwrap();
        let streams = Streams {
            stdin: stdin.into(),
            stdout: stdout.into(),
            stderr: stderr.into(),
            input: Some(input.into()),
        };
        streams.send(&ours).unwrap();
        drop(streams);
        let received = Streams::receive(&theirs).unwrap();
        let mut input = std::fs::File::from(received.input.unwrap());
        input.write_all(b"in").unwrap();
        drop(input);
        let mut text = String::new();
        std::fs::File::from(received.stdin)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "in");
        std::fs::File::from(received.stdout).write_all(b"out").unwrap();
        drop(received.stderr);
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "out");
    }
}
