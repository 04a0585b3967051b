//! The compile cache: the engine's own, of which nothing reaches the engine that this host did not
//! put there.
//!
//! Whoever can write there runs code as the host, and the engine verifies nothing. So the directory
//! is the host's user's alone, and the digest of each file is kept apart from it.

mod place;
mod tree;

use crate::settings::{CacheSettings, SandboxError};
use place::{Place, refused};
use sopwith_core::digest::Digest;
use sopwith_core::port::Artefacts;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tree::{File, Identity};
use wasmtime::{Cache, CacheConfig};

/// The compile cache.
pub(crate) struct CompileCache {
    engine: Cache,
    place: Place,
    artefacts: Arc<dyn Artefacts>,
    verified: Arc<Mutex<Verified>>,
}

/// The files that were found to be this host's, as they were then.
type Verified = BTreeMap<String, Identity>;

impl CompileCache {
    /// Opens the cache, and makes its directory if there is none.
    pub(crate) fn open(settings: CacheSettings) -> Result<Self, SandboxError> {
        let place = Place::new(&settings.directory, settings.unfit)?;
        let files = place.files()?;
        if place.is_ours() {
            // Nobody writes yet. What a host left that was killed keeps its successor from writing.
            for file in files.iter().filter(|file| file.is_unfinished()) {
                file.remove().map_err(|error| refused(place.path(), &error))?;
            }
        }
        let mut config = CacheConfig::new();
        config
            .with_directory(place.path())
            // What is used often the engine would press anew, into bytes that nobody knows.
            .with_optimized_compression_usage_counter_threshold(u64::MAX);
        let engine = Cache::new(config).map_err(|error| refused(place.path(), &format!("{error:#}")))?;
        Ok(Self {
            engine,
            place,
            artefacts: settings.artefacts,
            verified: Arc::default(),
        })
    }

    /// What the engine is configured with.
    pub(crate) fn engine(&self) -> Cache {
        self.engine.clone()
    }

    /// How often the engine took something from it.
    pub(crate) fn hits(&self) -> u64 {
        self.engine.cache_hits() as u64
    }

    /// Takes away what this host did not put there, so that the engine may look.
    ///
    /// There is one turn at a time: between a compilation and its registration there is a file that
    /// nobody knows.
    pub(crate) async fn turn(&self) -> Result<Turn, SandboxError> {
        let mut verified = Arc::clone(&self.verified).lock_owned().await;
        let place = self.place.clone();
        let mut files = off_the_runtime(move || place.files()).await?;
        files.retain(|file| !file.is_note());
        let is_verified = |file: &File| verified.get(&file.path) == Some(&file.identity);
        if verified.is_empty() || !files.iter().all(is_verified) {
            let known = self.known().await;
            let (place, before) = (self.place.clone(), std::mem::take(&mut *verified));
            let judge = move || judge(&place, files, &before, &known);
            let judged = off_the_runtime(judge).await?;
            *verified = judged.verified;
            if self.place.is_ours() {
                self.forget(judged.gone).await;
            }
        }
        Ok(Turn {
            misses: self.engine.cache_misses(),
            engine: self.engine.clone(),
            place: self.place.clone(),
            artefacts: Arc::clone(&self.artefacts),
            verified,
        })
    }

    /// The digests of the files that this host put there. Where they cannot be read none is known,
    /// and what was compiled has to be compiled again.
    async fn known(&self) -> BTreeMap<String, Digest> {
        let known = self.artefacts.artefacts().await;
        known.unwrap_or_else(|error| {
            tracing::error!(%error, "no compiled plugin can be verified");
            BTreeMap::new()
        })
    }

    async fn forget(&self, gone: Vec<String>) {
        if gone.is_empty() {
            return;
        }
        let changes = gone.into_iter().map(|path| (path, None)).collect();
        if let Err(error) = self.artefacts.set_artefacts(changes).await {
            tracing::warn!(%error, "compiled plugins that are gone cannot be forgotten");
        }
    }
}

/// What was found of all files.
struct Judged {
    verified: Verified,
    /// Those that are known, and not there any more.
    gone: Vec<String>,
}

fn judge(
    place: &Place,
    files: Vec<File>,
    before: &Verified,
    known: &BTreeMap<String, Digest>,
) -> Result<Judged, SandboxError> {
    let mut verified = Verified::new();
    for file in files {
        let digest = known.get(&file.path);
        let why = if before.get(&file.path) == Some(&file.identity) {
            None
        } else if digest.is_none() {
            Some("this host did not put it there")
        } else {
            let found = file.digest().ok().flatten();
            (found.as_ref() != digest).then_some("it is not what this host put there")
        };
        if let Some(why) = why {
            file.remove().map_err(|error| refused(place.path(), &error))?;
            tracing::warn!("`{}` was removed from the compile cache: {why}", file.path);
        } else {
            verified.insert(file.path, file.identity);
        }
    }
    // Another process may have put a file there since.
    let is_gone = |path: &&String| !place.path().join(path).exists();
    Ok(Judged {
        gone: known.keys().filter(is_gone).cloned().collect(),
        verified,
    })
}

/// The engine may look into the cache, and put something there.
pub(crate) struct Turn {
    engine: Cache,
    /// How often it had not found what it looked for, before.
    misses: usize,
    place: Place,
    artefacts: Arc<dyn Artefacts>,
    verified: OwnedMutexGuard<Verified>,
}

impl Turn {
    /// Keeps the digest of what the engine put there. What cannot be kept is compiled again by the
    /// next host.
    pub(crate) async fn register(mut self) {
        if self.engine.cache_misses() == self.misses {
            return;
        }
        let (place, verified) = (self.place.clone(), self.verified.clone());
        let new = match off_the_runtime(move || new_files(&place, &verified)).await {
            Ok(new) => new,
            Err(error) => return tracing::warn!(%error, "a compiled plugin cannot be registered"),
        };
        let digests = new
            .iter()
            .map(|(file, digest)| (file.path.clone(), Some(*digest)));
        if let Err(error) = self.artefacts.set_artefacts(digests.collect()).await {
            tracing::warn!(%error, "a compiled plugin cannot be registered");
        }
        let new = new.into_iter().map(|(file, _)| (file.path, file.identity));
        self.verified.extend(new);
    }
}

fn new_files(place: &Place, verified: &Verified) -> Result<Vec<(File, Digest)>, SandboxError> {
    let mut files = place.files()?;
    files.retain(|file| !file.is_note() && verified.get(&file.path) != Some(&file.identity));
    let with_digest = |file: File| {
        let digest = file.digest().ok().flatten()?;
        Some((file, digest))
    };
    Ok(files.into_iter().filter_map(with_digest).collect())
}

async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work)
        .await
        .expect("looking at files does not panic")
}
