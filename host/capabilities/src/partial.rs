//! Files that appear whole or not at all.

use crate::place::{Spot, sync_directory};
use crate::stop::Watch;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FlockOperation, Gid, Mode, OFlags, RenameFlags, Stat, Uid};
use rustix::io::Errno;
use sopwith_core::port::capabilities::{Answer, IfExists};
use sopwith_core::run::RunId;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

/// The mode of a file that is new, when nobody says another: what is in it may be confidential.
pub(crate) const MODE_NEW: u32 = 0o600;
const SUFFIX: &str = ".partial";
/// So that the name with the run's id around it is still one.
const NAME_BYTES_MAX: usize = 200;

/// A file under a temporary name beside its place. Dropped, it is gone.
pub(crate) struct Partial {
    file: File,
    parent: Arc<Dir>,
    name: String,
    target: String,
    is_whole: bool,
}

impl Partial {
    /// Makes an empty file that nobody else may read.
    pub(crate) fn create(spot: &Spot, run: RunId) -> io::Result<Self> {
        let name = temporary_name(&spot.name, run);
        match Self::create_as(spot, &name) {
            // An attempt of the same run that was cut off.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove_if_left(&spot.parent, &name)?;
                Self::create_as(spot, &name)
            }
            created => created,
        }
    }

    fn create_as(spot: &Spot, name: &str) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&*spot.parent, name, flags, Mode::from_raw_mode(MODE_NEW))?;
        let partial = Self {
            file: file.into(),
            parent: Arc::clone(&spot.parent),
            name: name.to_owned(),
            target: spot.name.clone(),
            is_whole: false,
        };
        // Tells others, in this process and in others, that the file is being written.
        rustix::fs::flock(&partial.file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(partial)
    }

    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it the owner and the mode of the file whose place it takes, but for what would let it
    /// run with the rights of its owner: its content is another.
    pub(crate) fn resemble(&self, old: &Stat) -> io::Result<()> {
        let new = rustix::fs::fstat(&self.file)?;
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid) {
            let (owner, group) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
            rustix::fs::fchown(&self.file, Some(owner), Some(group))?;
        }
        self.set_mode(old.st_mode & 0o777)
    }

    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// Gives it its name, durably, unless the attempt has ended meanwhile: to write all of it to the
    /// disk may take long.
    pub(crate) fn finish(self, if_exists: IfExists, watch: &Watch) -> Answer<io::Result<()>> {
        let synced = self.file.sync_all();
        watch.check()?;
        Ok(synced.and_then(|()| self.rename(if_exists)))
    }

    fn rename(mut self, if_exists: IfExists) -> io::Result<()> {
        let parent = &*self.parent;
        match if_exists {
            IfExists::Replace => rustix::fs::renameat(parent, &self.name, parent, &self.target)?,
            IfExists::Fail => rename_to_free(parent, &self.name, parent, &self.target)?,
        }
        self.is_whole = true;
        sync_directory(parent)
    }

    /// The temporary name, for whoever has to open the file by it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = rustix::fs::unlinkat(&*self.parent, &self.name, AtFlags::empty());
        }
    }
}

/// Renames a file unless the new name is taken.
pub(crate) fn rename_to_free(from: &Dir, name: &str, to: &Dir, new_name: &str) -> io::Result<()> {
    match rustix::fs::renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
        // Not every file system can do that; a second link is refused as well where the name is taken.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            rustix::fs::linkat(from, name, to, new_name, AtFlags::empty())?;
            rustix::fs::unlinkat(from, name, AtFlags::empty())?;
            Ok(())
        }
        renamed => Ok(renamed?),
    }
}

/// Removes what runs left in a directory that were cut off while they wrote there; `object` is what
/// operators call the directory. What cannot be removed is in nobody's way.
pub(crate) fn sweep(directory: &Dir, object: &str) {
    let sweep = || {
        for entry in directory.entries()? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().filter(|name| is_temporary(name)) {
                remove_if_left(directory, name)?;
            }
        }
        Ok(())
    };
    let swept: io::Result<()> = sweep();
    if let Err(error) = swept {
        tracing::warn!("cannot clear the directory of {object} of what was left there: {error}");
    }
}

/// Removes a temporary file unless somebody is writing it.
fn remove_if_left(directory: &Dir, name: &str) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        opened => opened?,
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(rustix::fs::unlinkat(directory, name, AtFlags::empty())?),
    }
}

fn temporary_name(name: &str, run: RunId) -> String {
    let end = name.floor_char_boundary(NAME_BYTES_MAX);
    format!(".{}.{run}{SUFFIX}", &name[..end])
}

fn is_temporary(name: &str) -> bool {
    let run = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| name.rsplit_once('.'));
    run.is_some_and(|(_, run)| run.parse::<RunId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Stop;
    use sopwith_core::port::Clock;
    use std::fs;
    use std::io::Write as _;
    use std::time::Duration;
    use tokio_util::sync::CancellationToken;

    fn run(random: u128) -> RunId {
        RunId::new(jiff::Timestamp::UNIX_EPOCH, random)
    }

    fn names(path: &std::path::Path) -> Vec<String> {
        let names = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    struct Still;

    #[async_trait::async_trait]
    impl Clock for Still {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep(&self, _: Duration) {
            std::future::pending::<()>().await;
        }
    }

    fn watch() -> Watch {
        watch_of(CancellationToken::new())
    }

    fn watch_of(cancel: CancellationToken) -> Watch {
        let stop = Stop::new(cancel, Duration::MAX, Arc::new(Still));
        Watch::new(stop, CancellationToken::new())
    }

    #[test]
    fn a_file_that_was_written_when_the_attempt_ended_does_not_appear() {
        let directory = tempfile::tempdir().unwrap();
        let spot = Spot::of_file(&directory.path().join("a")).unwrap();
        let partial = Partial::create(&spot, run(1)).unwrap();
        let cancel = CancellationToken::new();
        cancel.cancel();
        assert!(partial.finish(IfExists::Replace, &watch_of(cancel)).is_err());
        assert_eq!(names(directory.path()), [""; 0]);
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let spot = Spot::of_file(&directory.path().join("a")).unwrap();
        let mut partial = Partial::create(&spot, run(1)).unwrap();
        partial.file().write_all(b"half").unwrap();
        assert!(!directory.path().join("a").exists());
        drop(partial);
        assert_eq!(names(directory.path()), [""; 0]);

        let mut partial = Partial::create(&spot, run(1)).unwrap();
        partial.file().write_all(b"whole").unwrap();
        partial.finish(IfExists::Fail, &watch()).unwrap().unwrap();
        assert_eq!(names(directory.path()), ["a"]);

        let taken = Partial::create(&spot, run(1))
            .unwrap()
            .finish(IfExists::Fail, &watch())
            .unwrap()
            .unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"whole");
        assert_eq!(names(directory.path()), ["a"]);
    }

    #[test]
    fn a_sweep_takes_what_was_left_and_nothing_that_is_being_written() {
        let directory = tempfile::tempdir().unwrap();
        let spot = Spot::of_file(&directory.path().join("a")).unwrap();
        let busy = Partial::create(&spot, run(1)).unwrap();
        let left = temporary_name("a", run(2));
        fs::write(directory.path().join(&left), "left").unwrap();
        fs::write(directory.path().join(".a.other.partial"), "not ours").unwrap();
        sweep(&spot.parent, "directories.a");
        let mut expected = vec![".a.other.partial".to_owned(), busy.name().to_owned()];
        expected.sort();
        assert_eq!(names(directory.path()), expected);
    }

    #[test]
    fn a_file_takes_the_mode_of_another_but_not_what_makes_it_run_as_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o6755)).unwrap();
        let spot = Spot::of_file(&path).unwrap();
        let partial = Partial::create(&spot, run(1)).unwrap();
        partial.resemble(&spot.stat().unwrap()).unwrap();
        partial.finish(IfExists::Replace, &watch()).unwrap().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    }

    #[test]
    fn a_later_attempt_of_the_same_run_begins_anew() {
        let directory = tempfile::tempdir().unwrap();
        let spot = Spot::of_file(&directory.path().join("a")).unwrap();
        fs::write(directory.path().join(temporary_name("a", run(1))), "left").unwrap();
        Partial::create(&spot, run(1))
            .unwrap()
            .finish(IfExists::Fail, &watch())
            .unwrap()
            .unwrap();
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"");
    }
}
