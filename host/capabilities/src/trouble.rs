//! Says what an error of the operating system means, and who has to act.

use rustix::io::Errno;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use std::io;

const LIMIT_OF_FILES: &str =
    "raise the limit on the size of the host's files: `LimitFSIZE=` in its unit, `ulimit -f` in its shell";

/// Turns an error of the file system into one of the contract; `doing` is a verb and its
/// object: ``read `a/b` in directories.backups``.
pub(crate) fn file_failure(error: &io::Error, doing: &str) -> Failure {
    let (kind, blame) = judge(error);
    let failure = Failure::new(kind, blame, format!("cannot {doing}: {}", reason(error)));
    match error.kind() {
        io::ErrorKind::PermissionDenied if led_outside(error) => {
            failure.hint("paths stay beneath the directory that is granted")
        }
        io::ErrorKind::PermissionDenied => failure.hint("give the user of the host access to it"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            failure.hint("make room on the disk").retryable()
        }
        io::ErrorKind::FileTooLarge => failure.hint(LIMIT_OF_FILES),
        _ => failure,
    }
}

/// Whether a path tried to leave the directory that it is meant to stay in.
fn led_outside(error: &io::Error) -> bool {
    // cap-std refuses by itself, and so without a number of the operating system.
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
        || error.raw_os_error() == Some(Errno::XDEV.raw_os_error())
}

fn judge(error: &io::Error) -> (FailureKind, Blame) {
    use io::ErrorKind as Io;
    if led_outside(error) {
        return (FailureKind::Denied, Blame::Plugin);
    }
    if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return (FailureKind::Invalid, Blame::Plugin);
    }
    match error.kind() {
        Io::NotFound => (FailureKind::NotFound, Blame::Operator),
        Io::AlreadyExists | Io::DirectoryNotEmpty => (FailureKind::Conflict, Blame::Plugin),
        Io::NotADirectory | Io::IsADirectory | Io::InvalidInput | Io::InvalidFilename => {
            (FailureKind::Invalid, Blame::Plugin)
        }
        _ => (FailureKind::Failed, Blame::Host),
    }
}

fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Io;
    if led_outside(error) {
        return "it leads out of the directory".to_owned();
    }
    if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return "it is a link".to_owned();
    }
    match error.kind() {
        Io::NotFound => "there is no such file or directory".to_owned(),
        Io::AlreadyExists => "the name is taken".to_owned(),
        Io::DirectoryNotEmpty => "the directory is not empty".to_owned(),
        Io::NotADirectory => "a part of the path is no directory".to_owned(),
        Io::IsADirectory => "it is a directory".to_owned(),
        Io::PermissionDenied => "the user of the host may not do that".to_owned(),
        Io::StorageFull => "the disk is full".to_owned(),
        Io::QuotaExceeded => "the quota of the disk is used up".to_owned(),
        Io::FileTooLarge => "the file would be too large".to_owned(),
        Io::ReadOnlyFilesystem => "the file system is mounted read-only".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(errno: Errno, message: &str, hint: &str, retryable: bool) {
        let failure = file_failure(&io::Error::from(errno), "write `a`");
        assert_eq!((failure.kind, failure.blame), (FailureKind::Failed, Blame::Host));
        assert_eq!(failure.message, format!("cannot write `a`: {message}"));
        assert_eq!(failure.hint.as_deref(), Some(hint), "{message}");
        assert_eq!(failure.retryable, retryable, "{message}");
    }

    #[test]
    fn a_file_that_finds_no_room_is_the_hosts_to_mend() {
        check(Errno::NOSPC, "the disk is full", "make room on the disk", true);
        let quota = "the quota of the disk is used up";
        check(Errno::DQUOT, quota, "make room on the disk", true);
        // It stays so until somebody raises the limit.
        check(Errno::FBIG, "the file would be too large", LIMIT_OF_FILES, false);
    }
}
