//! Starts the program of a command with nothing but what its order says.

use crate::commands::message::{Order, Refusal, Streams};
use rustix::io::{FdFlags, fcntl_setfd};
use sha2::{Digest as _, Sha256};
use sopwith_core::digest::Digest;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Starts it as the leader of a process group of its own.
pub(super) fn start(order: &Order, streams: Streams) -> Result<Child, Refusal> {
    let entered = std::fs::read_dir(&order.directory);
    // What cannot be listed can perhaps be entered; `spawn` tells.
    if let Err(error) = entered
        && error.kind() != io::ErrorKind::PermissionDenied
    {
        return Err(Refusal::Directory(number(&error)));
    }
    let pinned = match order.sha256 {
        Some(digest) => Some(Pinned::open(&order.program, digest)?),
        None => None,
    };
    let path = pinned
        .as_ref()
        .map_or_else(|| order.program.clone(), Pinned::path);
    let mut command = Command::new(path);
    command
        .arg0(&order.program)
        .args(&order.arguments)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.directory)
        .stdin(streams.stdin)
        .stdout(streams.stdout)
        .stderr(streams.stderr)
        .process_group(0);
    command.spawn().map_err(|error| Refusal::Program(number(&error)))
}

/// A program that was opened once, so that what is started is what was compared.
struct Pinned(File);

impl Pinned {
    fn open(path: &Path, expected: Digest) -> Result<Self, Refusal> {
        let read = || -> io::Result<(File, Digest)> {
            let mut file = File::open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::from_raw_os_error(
                    rustix::io::Errno::ACCESS.raw_os_error(),
                ));
            }
            let mut hasher = Sha256::new();
            io::copy(&mut file, &mut hasher)?;
            // A script is read once more, through this very file, by whoever interprets it.
            file.rewind()?;
            if is_script(&mut file)? {
                fcntl_setfd(&file, FdFlags::empty())?;
            }
            file.rewind()?;
            Ok((file, Digest::from_hasher(hasher)))
        };
        let (file, found) = read().map_err(|error| Refusal::Unreadable(number(&error)))?;
        if found == expected {
            Ok(Self(file))
        } else {
            Err(Refusal::Digest(found))
        }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

fn is_script(file: &mut File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.take(2).read_to_end(&mut beginning)?;
    Ok(beginning == b"#!")
}

/// The number of an error, which the other side turns into words.
pub(super) fn number(error: &io::Error) -> i32 {
    use rustix::io::Errno;
    let own = match error.kind() {
        // Such as a zero byte in an argument.
        io::ErrorKind::InvalidInput => Errno::INVAL,
        _ => Errno::IO,
    };
    error.raw_os_error().unwrap_or(own.raw_os_error())
}
