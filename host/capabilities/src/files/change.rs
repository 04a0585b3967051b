//! Changes of one file: each is whole and durable, or did not happen.

use super::{meta, parse_digest};
use crate::partial::{MODE_NEW, Partial, rename_to_free};
use crate::place::{Spot, sync_directory};
use crate::stop::Watch;
use cap_std::fs::{Permissions, PermissionsExt as _};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, IfExists};
use sopwith_core::run::RunId;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

/// What only the owner may enter.
const DIRECTORY_MODE_NEW: u32 = 0o700;

/// Fails for bits that would give a file more rights than those of who reads or runs it.
pub(crate) fn check_mode(mode: Option<u32>) -> Answer<()> {
    match mode {
        Some(mode) if mode > 0o777 => Err(Failure::invalid(format!(
            "the mode `{mode:o}` has other bits than those of read, write and execute"
        ))),
        _ => Ok(()),
    }
}

/// What a file has to be before it is replaced.
pub(super) enum Expected {
    Nothing,
    Content(Digest),
}

impl Expected {
    pub(super) fn parse(text: &str) -> Answer<Self> {
        if text.is_empty() {
            return Ok(Self::Nothing);
        }
        parse_digest(text).map(Self::Content)
    }
}

pub(super) fn replace(
    spot: &Spot,
    run: RunId,
    content: &[u8],
    expected: Option<&Expected>,
    mode: Option<u32>,
    watch: &Watch,
) -> Answer<io::Result<()>> {
    if let Some(Expected::Content(digest)) = expected {
        match content_digest(spot, watch)? {
            Ok(found) if found == Some(*digest) => {}
            Ok(_) => {
                let message = format!("`{}` has another content than was expected", spot.name);
                return Err(Failure::new(FailureKind::Conflict, Blame::Plugin, message));
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    let if_exists = match expected {
        Some(Expected::Nothing) => IfExists::Fail,
        _ => IfExists::Replace,
    };
    match write(spot, run, content, mode) {
        Ok(partial) => partial.finish(if_exists, watch),
        Err(error) => Ok(Err(error)),
    }
}

fn write(spot: &Spot, run: RunId, content: &[u8], mode: Option<u32>) -> io::Result<Partial> {
    let old = spot.stat_if_there()?;
    let mut partial = Partial::create(spot, run)?;
    partial.file().write_all(content)?;
    match &old {
        Some(old) if FileType::from_raw_mode(old.st_mode) == FileType::RegularFile => {
            partial.resemble(old)?;
        }
        _ => partial.set_mode(MODE_NEW)?,
    }
    if let Some(mode) = mode {
        partial.set_mode(mode)?;
    }
    Ok(partial)
}

fn content_digest(spot: &Spot, watch: &Watch) -> Answer<io::Result<Option<Digest>>> {
    match spot.open_file() {
        Ok(file) => Ok(meta::digest(&file, watch)?.map(Some)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(None)),
        Err(error) => Ok(Err(error)),
    }
}

pub(super) fn rename(from: &Spot, to: &Spot) -> io::Result<()> {
    rename_to_free(&from.parent, &from.name, &to.parent, &to.name)?;
    sync_directory(&to.parent)?;
    if !Arc::ptr_eq(&from.parent, &to.parent) {
        sync_directory(&from.parent)?;
    }
    Ok(())
}

pub(super) fn truncate(spot: &Spot, bytes: u64) -> Answer<io::Result<()>> {
    let (file, length) = match open_to_write(spot) {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error)),
    };
    if bytes > length {
        return Err(Failure::invalid(format!(
            "`{}` has {length} bytes and cannot be cut off at {bytes}",
            spot.name
        )));
    }
    let cut = file.set_len(bytes).and_then(|()| file.sync_all());
    crate::held::close(file);
    Ok(cut)
}

fn open_to_write(spot: &Spot) -> io::Result<(File, u64)> {
    // Looked at before, because to open some devices does something.
    if FileType::from_raw_mode(spot.stat()?.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = rustix::fs::openat(&*spot.parent, &spot.name, flags, Mode::empty())?.into();
    let length = file.metadata()?.len();
    Ok((file, length))
}

pub(super) fn remove(spot: &Spot) -> io::Result<()> {
    let flags = match FileType::from_raw_mode(spot.stat()?.st_mode) {
        FileType::Directory => AtFlags::REMOVEDIR,
        _ => AtFlags::empty(),
    };
    rustix::fs::unlinkat(&*spot.parent, &spot.name, flags)?;
    sync_directory(&spot.parent)
}

pub(super) fn make_directory(spot: &Spot, mode: Option<u32>) -> io::Result<()> {
    rustix::fs::mkdirat(&*spot.parent, &spot.name, Mode::from_raw_mode(DIRECTORY_MODE_NEW))?;
    if let Some(mode) = mode {
        // Once more, because the process's mask has taken bits away.
        spot.parent
            .set_permissions(&spot.name, Permissions::from_mode(mode))?;
    }
    sync_directory(&spot.parent)
}

pub(super) fn set_mode(spot: &Spot, mode: u32) -> Answer<io::Result<()>> {
    match spot.stat() {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => Err(Failure::invalid(
            format!("`{}` is a link and has no mode of its own", spot.name),
        )),
        Ok(_) => Ok(spot
            .parent
            .set_permissions(&spot.name, Permissions::from_mode(mode))),
        Err(error) => Ok(Err(error)),
    }
}
