//! Compiled plugins, handed on from place to place: compiling them anew in each would be most of the time.

use sopwith_core::digest::Digest;
use sopwith_core::port::Artefacts as _;
use sopwith_store::SqliteStore;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tokio::runtime::Builder;

fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-plugins")
}

/// Puts what is compiled into a data directory that is not there yet, and into its record: a host
/// runs nothing that this does not know.
pub(crate) fn fill(data_directory: &Path) {
    let cache = data_directory.join("cache");
    copy_new(&kept(), &cache).expect("a copy of what is compiled");
    let mut digests = BTreeMap::new();
    read(&cache, &cache, &mut digests).expect("what was copied");
    if !digests.is_empty() {
        let record = SqliteStore::open(&data_directory.join("history.db")).expect("a record");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime
            .block_on(record.set_artefacts(digests))
            .expect("the record takes it");
    }
}

fn read(cache: &Path, directory: &Path, digests: &mut BTreeMap<String, Option<Digest>>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(cache, &path, digests)?;
        } else {
            let name = path
                .strip_prefix(cache)
                .expect("it lies beneath")
                .display()
                .to_string();
            digests.insert(name, Some(Digest::of(fs::read(&path)?)));
        }
    }
    Ok(())
}

/// Keeps what was compiled in a data directory. Two may keep at once: a file appears whole.
pub(crate) fn keep(data_directory: &Path) {
    let cache = data_directory.join("cache");
    if cache.is_dir() {
        // A test that failed may have left anything behind.
        let _ = copy_new(&cache, &kept());
    }
}

fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_new(&path, &target)?;
        } else if path.extension().is_none() && !target.exists() {
            let beside = tempfile::NamedTempFile::new_in(to)?;
            fs::copy(&path, beside.path())?;
            beside.persist(&target)?;
        }
    }
    Ok(())
}
