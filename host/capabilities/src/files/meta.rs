//! What is known of a file.

use super::content::read_masked;
use crate::place::{ReadFile, open_at};
use crate::redaction::Mask;
use crate::stop::Watch;
use cap_std::fs::Dir;
use jiff::Timestamp;
use rustix::fs::{FileType, Stat};
use sha2::{Digest as _, Sha256};
use sopwith_core::digest::Digest;
use sopwith_core::port::capabilities::{Answer, Meta};
use std::io::{self, Read as _};
use std::path::Path;
use uzers::{get_group_by_gid, get_user_by_uid};

/// What is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What the operating system says of a name in a directory; `path` is what the guest calls it.
pub(super) fn of(parent: &Dir, name: &Path, path: &str, stat: &Stat) -> io::Result<Meta> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "file",
        FileType::Directory => "directory",
        FileType::Symlink => "link",
        _ => "other",
    };
    let mut extra = Vec::new();
    if kind == "link" {
        let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
        extra.push(("link-target".to_owned(), target.to_string_lossy().into_owned()));
    }
    Ok(Meta {
        path: path.to_owned(),
        kind: kind.to_owned(),
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        owner: name_of(
            get_user_by_uid(stat.st_uid).as_ref().map(uzers::User::name),
            stat.st_uid,
        ),
        group: name_of(
            get_group_by_gid(stat.st_gid).as_ref().map(uzers::Group::name),
            stat.st_gid,
        ),
        modified_at: modified_at(stat),
        digest: None,
        head: Vec::new(),
        extra,
    })
}

fn name_of(name: Option<&std::ffi::OsStr>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), |name| name.to_string_lossy().into_owned())
}

/// When the content of a file changed last.
pub(super) fn modified_at(stat: &Stat) -> Timestamp {
    let nanoseconds = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Timestamp::new(stat.st_mtime, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The digest of the content of a file.
pub(super) fn digest(mut file: &std::fs::File, watch: &Watch) -> Answer<io::Result<Digest>> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        watch.check()?;
        match file.read(&mut chunk) {
            Ok(0) => return Ok(Ok(Digest::from_hasher(hasher))),
            Ok(read) => hasher.update(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Adds what has to be read from the file itself.
pub(super) fn add_content(
    meta: &mut Meta,
    (parent, name): (&Dir, &Path),
    wants_digest: bool,
    (head_bytes, mask): (u64, &Mask),
    watch: &Watch,
) -> Answer<io::Result<()>> {
    let file = match open_at(parent, name).and_then(ReadFile::new) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    if head_bytes > 0 {
        match read_masked(&file, 0, head_bytes, mask) {
            Ok(head) => meta.head = head,
            Err(error) => return Ok(Err(error)),
        }
    }
    if wants_digest {
        match digest(&file, watch)? {
            Ok(digest) => meta.digest = Some(digest.to_string()),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}
