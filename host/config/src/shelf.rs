//! Keeps the bytes of every plugin that a generation or a live run names.

use crate::durable;
use crate::last_good::LastGood;
use async_trait::async_trait;
use sopwith_core::digest::Digest;
use sopwith_core::generation::Generation;
use sopwith_core::port::{Plugin, PluginLoader, PluginProblem, PluginShelf};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The plugins of a data directory: loaded ones in memory, all others as files.
pub struct Shelf {
    data_directory: PathBuf,
    directory: PathBuf,
    loader: Arc<dyn PluginLoader>,
    loaded: Mutex<BTreeMap<Digest, Arc<dyn Plugin>>>,
    pruning: Mutex<()>,
}

impl Shelf {
    /// The shelf of this data directory.
    pub fn new(data_directory: &Path, loader: Arc<dyn PluginLoader>) -> Self {
        Self {
            data_directory: data_directory.to_owned(),
            directory: directory_of(data_directory),
            loader,
            loaded: Mutex::default(),
            pruning: Mutex::default(),
        }
    }

    /// Keeps the plugins of this generation at hand, and of no other.
    pub fn hold(&self, generation: &Generation) {
        let in_use = generation.procedures.values().map(|ready| &ready.plugin);
        let plugins = in_use.map(|plugin| (plugin.digest(), Arc::clone(plugin)));
        *self.lock() = plugins.collect();
    }

    /// Removes the bytes that are not among these and that the last good configuration does not
    /// name.
    ///
    /// The caller names those of the generation in force and of all live runs.
    pub fn prune(&self, live: &BTreeSet<Digest>) -> io::Result<Vec<Digest>> {
        let _alone = self.no_pruning();
        let kept = LastGood::read(&self.data_directory).map_err(io::Error::other)?;
        let mut live = live.clone();
        live.extend(kept.iter().flat_map(LastGood::plugins));
        self.lock().retain(|digest, _| live.contains(digest));
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut removed = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let digest = stem.and_then(|stem| stem.parse::<Digest>().ok());
            if let Some(digest) = digest.filter(|digest| !live.contains(digest)) {
                std::fs::remove_file(&path)?;
                removed.push(digest);
            }
        }
        Ok(removed)
    }

    /// Holds off pruning, while bytes are put there that only the next generation names.
    pub(crate) fn no_pruning(&self) -> MutexGuard<'_, ()> {
        self.pruning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Arc<dyn Plugin>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PluginShelf for Shelf {
    async fn plugin(&self, digest: Digest) -> Result<Arc<dyn Plugin>, PluginProblem> {
        if let Some(plugin) = self.lock().get(&digest) {
            return Ok(Arc::clone(plugin));
        }
        let bytes = take(&self.directory, digest)?;
        let plugin = self.loader.load(bytes.into()).await?;
        self.lock().insert(digest, Arc::clone(&plugin));
        Ok(plugin)
    }
}

/// Where the bytes of plugins are.
pub(crate) fn directory_of(data_directory: &Path) -> PathBuf {
    data_directory.join("plugins")
}

/// Puts bytes on the shelf in this directory.
pub(crate) fn put(directory: &Path, digest: Digest, bytes: &[u8]) -> io::Result<()> {
    let path = path_of(directory, digest);
    // What bears the name of a digest was put there whole.
    if path.exists() {
        Ok(())
    } else {
        durable::write(&path, bytes)
    }
}

/// Takes bytes from the shelf, and makes sure that they are the right ones.
pub(crate) fn take(directory: &Path, digest: Digest) -> Result<Vec<u8>, PluginProblem> {
    let problem = |message| PluginProblem { message, hint: None };
    let path = path_of(directory, digest);
    let bytes = std::fs::read(&path)
        .map_err(|error| problem(format!("the bytes of {} are not kept: {error}", digest.short())))?;
    if Digest::of(&bytes) == digest {
        return Ok(bytes);
    }
    Err(problem(format!(
        "`{}` does not have the digest in its name",
        path.display()
    )))
}

fn path_of(directory: &Path, digest: Digest) -> PathBuf {
    directory.join(format!("{}.wasm", digest.hexadecimal()))
}
