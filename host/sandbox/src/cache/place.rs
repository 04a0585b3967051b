//! The directory of compiled plugins: made for the host's user alone, and made anew where others
//! could have put something into it.

use super::tree::{self, File, Finding};
use crate::settings::{SandboxError, Unfit};
use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MODE: u32 = 0o700;
const OTHERS: u32 = 0o077;

/// A thread of the engine's own may put a note where it was just cleared.
const CLEAR_TRIES_MAX: u32 = 3;

/// So many times something is set aside; whoever owns the data directory has to look then.
const SET_ASIDE_MAX: u32 = 9;

/// Where compiled plugins are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
    unfit: Unfit,
    user: u32,
}

impl Place {
    pub(super) fn new(directory: &Path, unfit: Unfit) -> Result<Self, SandboxError> {
        let unusable = |error: io::Error| refused(directory, &error);
        let absolute = std::path::absolute(directory).map_err(unusable)?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(refused(directory, &"it is the root of the file system"));
        };
        Ok(Self {
            // The engine does the same, and both have to mean the same directory from now on.
            path: parent.canonicalize().map_err(unusable)?.join(name),
            unfit,
            user: rustix::process::geteuid().as_raw(),
        })
    }

    /// Whether this host is the one that keeps it in order.
    pub(super) fn is_ours(&self) -> bool {
        self.unfit == Unfit::Rebuild
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All files in it, once it is as it should be.
    pub(super) fn files(&self) -> Result<Vec<File>, SandboxError> {
        let finding = match self.examine() {
            Ok(files) => return Ok(files),
            Err(finding) => finding,
        };
        match (&finding, self.unfit) {
            (Finding::Missing, _) => {}
            (_, Unfit::Refuse) => return Err(refused(&self.path, &finding)),
            (_, Unfit::Rebuild) => {
                let path = self.path.display();
                tracing::warn!("the compile cache `{path}` is made anew: {finding}");
            }
        }
        self.make_anew(&finding)?;
        self.examine().map_err(|finding| refused(&self.path, &finding))
    }

    fn examine(&self) -> Result<Vec<File>, Finding> {
        let directory = self.open()?;
        let metadata = directory.dir_metadata()?;
        let owner = cap_std::fs::MetadataExt::uid(&metadata);
        if owner != self.user {
            let user = self.user;
            return Err(Finding::Foreign { owner, user });
        }
        let mode = cap_std::fs::MetadataExt::mode(&metadata) & 0o7777;
        if mode & OTHERS != 0 {
            return Err(Finding::Open(mode));
        }
        tree::files(&Arc::new(directory), self.user)
    }

    fn open(&self) -> Result<Dir, Finding> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Ok(directory) => Ok(Dir::from_std_file(directory.into())),
            Err(Errno::NOENT) => Err(Finding::Missing),
            Err(Errno::NOTDIR | Errno::LOOP) if self.path.is_symlink() => Err(Finding::Link),
            Err(Errno::NOTDIR) => Err(Finding::NotADirectory),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    fn make_anew(&self, finding: &Finding) -> Result<(), SandboxError> {
        let trouble = |error: io::Error| refused(&self.path, &format!("{finding}; {error}"));
        match finding {
            Finding::Missing => {}
            Finding::Unreadable(_) => return Err(refused(&self.path, finding)),
            Finding::Link => {
                self.must_lie_in_a_directory_of_ours(finding)?;
                // The link goes. What it points to is not looked at.
                fs::remove_file(&self.path).map_err(trouble)?;
            }
            Finding::NotADirectory | Finding::Foreign { .. } => {
                self.must_lie_in_a_directory_of_ours(finding)?;
                self.set_aside().map_err(trouble)?;
            }
            Finding::Open(_) | Finding::Inside { .. } => {
                if let Err(error) = self.close_and_clear() {
                    tracing::warn!("the compile cache cannot be emptied: {error}");
                    self.set_aside().map_err(trouble)?;
                }
            }
        }
        match DirBuilder::new().mode(MODE).create(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(trouble(error)),
            _ => Ok(()),
        }
    }

    /// Whoever owns the directory around it put it there, and may do so again: nothing that this
    /// host does there is safe.
    fn must_lie_in_a_directory_of_ours(&self, finding: &Finding) -> Result<(), SandboxError> {
        let parent = self.path.parent().unwrap_or(&self.path);
        let owner = fs::metadata(parent)
            .map_err(|error| refused(&self.path, &error))?
            .uid();
        if owner == self.user {
            return Ok(());
        }
        let why = format!(
            "{finding}, and `{}` belongs to user {owner}: run the host as that user, or give it a data directory of its own",
            parent.display()
        );
        Err(refused(&self.path, &why))
    }

    fn close_and_clear(&self) -> io::Result<()> {
        let directory = self.open().map_err(io::Error::other)?;
        let handle = directory.try_clone()?.into_std_file();
        // From here on nobody else comes in.
        handle.set_permissions(Permissions::from_mode(MODE))?;
        let mut cleared = tree::clear(&directory);
        for _ in 1..CLEAR_TRIES_MAX {
            if cleared.is_ok() {
                break;
            }
            cleared = tree::clear(&directory);
        }
        cleared
    }

    /// Renames what is not ours to remove, or what cannot be removed.
    fn set_aside(&self) -> io::Result<()> {
        for number in 1..=SET_ASIDE_MAX {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".set-aside-{number}"));
            let aside = PathBuf::from(name);
            if fs::symlink_metadata(&aside).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                fs::rename(&self.path, &aside)?;
                tracing::warn!(
                    "what was there lies in `{}` now; look at it and remove it",
                    aside.display()
                );
                return Ok(());
            }
        }
        let why =
            format!("there are {SET_ASIDE_MAX} others that were set aside; look at them and remove them");
        Err(io::Error::other(why))
    }
}

pub(super) fn refused(path: &Path, why: &dyn std::fmt::Display) -> SandboxError {
    SandboxError::Cache {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{chown, symlink};
    use tempfile::TempDir;

    /// Somebody who is not the host's user.
    const SOMEBODY: u32 = 54_321;

    struct Scene {
        folder: TempDir,
    }

    impl Scene {
        /// A folder in which there is a file that is nobody's business.
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join("outside")).expect("a folder");
            fs::write(folder.path().join("outside/precious"), "kept").expect("a file");
            Self { folder }
        }

        fn path(&self, relative: &str) -> PathBuf {
            self.folder.path().join(relative)
        }

        /// A cache with a file of the engine's in it.
        fn cache(self) -> Self {
            self.place(Unfit::Rebuild).files().expect("a cache");
            fs::create_dir_all(self.path("cache/modules/wasmtime")).expect("a folder");
            fs::write(self.path("cache/modules/wasmtime/entry"), "code").expect("a file");
            self
        }

        fn place(&self, unfit: Unfit) -> Place {
            Place::new(&self.path("cache"), unfit).expect("a place")
        }

        /// A host that owns the cache has so many files afterwards; what lies outside is untouched,
        /// and who only looks is refused with these words and changes nothing.
        fn check(&self, refusal: &str, files: usize) {
            let looked = self.place(Unfit::Refuse).files();
            let told = looked
                .err()
                .map_or_else(|| "open".to_owned(), |error| error.to_string());
            assert!(told.contains(refusal), "{told}");
            let found = self
                .place(Unfit::Rebuild)
                .files()
                .expect("a directory to work in");
            assert_eq!(found.len(), files);
            let metadata = fs::symlink_metadata(self.path("cache")).expect("a directory");
            assert!(metadata.is_dir());
            assert_eq!(metadata.mode() & 0o7777, MODE);
            let precious = fs::read_to_string(self.path("outside/precious"));
            assert_eq!(precious.expect("it is still there"), "kept");
            let again = self
                .place(Unfit::Refuse)
                .files()
                .expect("nothing is wrong any more");
            assert_eq!(again.len(), files);
        }
    }

    /// Whether this process may give files away; the test is passed over, loudly, where it may not.
    fn given_away(path: &Path) -> bool {
        let given = std::os::unix::fs::lchown(path, Some(SOMEBODY), None);
        if let Err(error) = &given {
            println!("passed over: files cannot be given away here: {error}");
        }
        given.is_ok()
    }

    #[test]
    fn a_sound_directory_stays_as_it_is() {
        Scene::new().check("open", 0);
        Scene::new().cache().check("open", 1);
    }

    #[test]
    fn a_directory_that_others_can_reach_is_emptied_and_closed() {
        for mode in [0o777, 0o750, 0o701] {
            let scene = Scene::new().cache();
            fs::set_permissions(scene.path("cache"), Permissions::from_mode(mode)).expect("a mode");
            scene.check("closed to others", 0);
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_directory_is_taken_away_and_not_followed() {
        let scene = Scene::new();
        symlink(scene.path("outside"), scene.path("cache")).expect("a link");
        scene.check("it is a link", 0);
        let dangling = Scene::new();
        symlink("nowhere", dangling.path("cache")).expect("a link");
        dangling.check("it is a link", 0);
    }

    #[test]
    fn links_in_the_directory_make_it_empty_and_are_not_followed() {
        let scene = Scene::new().cache();
        symlink(scene.path("outside"), scene.path("cache/modules/away")).expect("a link");
        scene.check("`modules/away` in it is no plain file", 0);
        let scene = Scene::new().cache();
        fs::hard_link(scene.path("outside/precious"), scene.path("cache/modules/twin")).expect("a link");
        scene.check("`modules/twin` in it is a link", 0);
    }

    #[test]
    fn what_is_no_directory_is_set_aside() {
        let scene = Scene::new();
        fs::write(scene.path("cache"), "a letter").expect("a file");
        scene.check("it is not a directory", 0);
        let aside = fs::read_to_string(scene.path("cache.set-aside-1"));
        assert_eq!(aside.expect("it was set aside"), "a letter");
    }

    #[test]
    fn a_directory_of_somebody_else_is_set_aside_as_it_is() {
        let scene = Scene::new().cache();
        if given_away(&scene.path("cache")) {
            scene.check(&format!("it belongs to user {SOMEBODY}"), 0);
            assert!(scene.path("cache.set-aside-1/modules/wasmtime/entry").exists());
        }
    }

    #[test]
    fn a_file_of_somebody_else_makes_the_directory_empty() {
        let scene = Scene::new().cache();
        if given_away(&scene.path("cache/modules/wasmtime/entry")) {
            scene.check("belongs to another user", 0);
        }
    }

    #[test]
    fn in_the_data_directory_of_somebody_else_nothing_is_touched() {
        let scene = Scene::new().cache();
        if given_away(&scene.path("cache")) && given_away(scene.folder.path()) {
            let refused = scene.place(Unfit::Rebuild).files().err().expect("a refusal");
            assert!(
                refused.to_string().contains("run the host as that user"),
                "{refused}"
            );
            assert!(scene.path("cache/modules/wasmtime/entry").exists());
        }
        let _ = chown(
            scene.folder.path(),
            Some(rustix::process::geteuid().as_raw()),
            None,
        );
    }

    #[test]
    fn nothing_is_set_aside_without_end() {
        let scene = Scene::new();
        for number in 1..=SET_ASIDE_MAX {
            fs::create_dir(scene.path(&format!("cache.set-aside-{number}"))).expect("a folder");
        }
        fs::write(scene.path("cache"), "one too many").expect("a file");
        let refused = scene.place(Unfit::Rebuild).files().err().expect("a refusal");
        assert!(
            refused.to_string().contains("look at them and remove them"),
            "{refused}"
        );
    }
}
