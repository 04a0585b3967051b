//! Whether a disk has room for what is to come.

use cap_std::fs::Dir;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;

/// Fails when the disk of a directory has fewer bytes free than are wanted; `object` is what
/// operators call the directory. A file system that does not tell is taken at its word later.
pub(super) fn check(directory: &Dir, wanted: Option<u64>, object: &str) -> Answer<()> {
    let (Some(wanted), Ok(disk)) = (wanted, rustix::fs::fstatvfs(directory)) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if wanted > free {
        return Err(full(object, wanted, &format!("it has {free} bytes free")));
    }
    Ok(())
}

/// A disk that has no room.
pub(super) fn full(object: &str, wanted: u64, why: &str) -> Failure {
    let message = format!("the disk of {object} has no room for {wanted} bytes: {why}");
    Failure::new(FailureKind::Failed, Blame::Host, message)
        .hint("make room on the disk")
        .with("resource", object)
        .retryable()
}
