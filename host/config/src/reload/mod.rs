//! Takes up changed files while the host runs: a reload is whole or not at all.

mod back;
mod fingerprint;
mod watcher;

use crate::catalogue::StandardPlugin;
use crate::diagnostic::Diagnostic;
use crate::last_good::{self, Started};
use crate::load::{Loaded, Workshop, assemble, read_for};
use crate::previous::Previous;
use crate::rollback::Reader;
use crate::shelf::Shelf;
use fingerprint::Fingerprint;
use sopwith_core::digest::Digest;
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::port::{Clock, PluginLoader};
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use watcher::Watcher;

/// Files that still change after so many looks are read as they are.
const LOOKS_MAX: u32 = 40;

/// How often files are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long files have to stay as they are before they are read.
    pub settle: Duration,
    /// How often they are looked at even if nothing tells of a change.
    pub poll: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(60),
            poll: Duration::from_secs(5),
        }
    }
}

/// What a host reloads with.
#[derive(Clone)]
pub struct ReloadParts {
    /// The configuration.
    pub folder: PathBuf,
    /// Where the last good configuration is kept; that of the host's start.
    pub data_directory: PathBuf,
    /// Turns bytes into plugins.
    pub loader: Arc<dyn PluginLoader>,
    /// The plugins that are part of the program.
    pub standard: Arc<[StandardPlugin]>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The plugins in use.
    pub shelf: Arc<Shelf>,
    /// How often files are looked at.
    pub pace: Pace,
}

/// What became of a change of files.
#[derive(Clone)]
pub struct Reloaded {
    /// What became of it.
    pub status: ReloadStatus,
    /// What was in force after it.
    pub generation: Arc<Generation>,
}

/// Takes up a folder's changes and puts each good configuration in force. Clones are handles to the same one.
#[derive(Clone)]
pub struct Reloader(Arc<Inner>);

struct Inner {
    parts: ReloadParts,
    generation: watch::Sender<Arc<Generation>>,
    status: watch::Sender<ReloadStatus>,
    record: mpsc::UnboundedSender<Reloaded>,
    reloads: StdMutex<Option<mpsc::UnboundedReceiver<Reloaded>>>,
    /// Whoever reloads holds it.
    looked: Mutex<Looked>,
}

/// What has been looked at.
struct Looked {
    /// The content that was tried last; none if trying it again may turn out better.
    tried: Option<Digest>,
    /// The files as they were then.
    seen: Option<Fingerprint>,
}

impl Reloader {
    /// A reloader for a host that has just started with this.
    pub fn new(parts: ReloadParts, started: Started) -> Self {
        parts.shelf.hold(&started.generation);
        let status = ReloadStatus {
            at: parts.clock.now(),
            accepted: !started.kept,
            kept: started.kept,
            diagnostics: said(&started.diagnostics),
            rolled_back: started.inputs.rolled_back.clone(),
        };
        let (record, reloads) = mpsc::unbounded_channel();
        let inner = Inner {
            parts,
            generation: watch::Sender::new(started.generation),
            status: watch::Sender::new(status),
            record,
            reloads: StdMutex::new(Some(reloads)),
            looked: Mutex::new(Looked {
                tried: (!started.kept).then_some(started.inputs.digest),
                seen: None,
            }),
        };
        inner.tell();
        Self(Arc::new(inner))
    }

    /// Every reload from the start on, that of the start included. Only whoever asks first hears of them.
    pub fn reloads(&self) -> mpsc::UnboundedReceiver<Reloaded> {
        let mut reloads = self.0.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        reloads.take().unwrap_or_else(|| mpsc::unbounded_channel().1)
    }

    /// What is in force, now and from now on.
    pub fn generation(&self) -> watch::Receiver<Arc<Generation>> {
        self.0.generation.subscribe()
    }

    /// What became of the newest change, now and from now on.
    pub fn status(&self) -> watch::Receiver<ReloadStatus> {
        self.0.status.subscribe()
    }

    /// Reloads after each change until it is told to end.
    pub async fn watch(self, end: CancellationToken) {
        let inner = &self.0;
        if inner.status.borrow().kept {
            tracing::warn!("the files are broken: the last good configuration is in force");
            log(&inner.status.borrow());
        }
        let mut watcher = Watcher::new(&inner.parts.folder);
        inner.begin().await;
        loop {
            let hinted = tokio::select! {
                () = end.cancelled() => return,
                () = watcher.changed() => true,
                () = inner.parts.clock.sleep(inner.parts.pace.poll) => false,
            };
            tokio::select! {
                () = end.cancelled() => return,
                () = inner.look(hinted) => {}
            }
            watcher.renew();
        }
    }
}

impl Inner {
    fn tell(&self) {
        // Where nobody records them nobody listens.
        let _ = self.record.send(Reloaded {
            status: self.status.borrow().clone(),
            generation: self.generation.borrow().clone(),
        });
    }

    /// Takes up what has changed between the start and now.
    async fn begin(&self) {
        let mut looked = self.looked.lock().await;
        looked.seen = Some(Fingerprint::take(&self.parts.folder).await);
        self.reload(&mut looked).await;
    }

    /// Takes up what has changed, where anything has, or may have since somebody says so.
    async fn look(&self, hinted: bool) {
        let mut looked = self.looked.lock().await;
        let found = Fingerprint::take(&self.parts.folder).await;
        if hinted || looked.seen.as_ref() != Some(&found) || looked.tried.is_none() {
            looked.seen = Some(self.settled(found).await);
            self.reload(&mut looked).await;
        }
    }

    /// Reads the folder and takes it up if its content is new and good.
    async fn reload(&self, looked: &mut Looked) {
        let inputs = read_for(&self.parts.folder, &self.parts.data_directory, Reader::Host).await;
        // The same bytes may lie there now that somebody went back to.
        let is_as_told = self.status.borrow().rolled_back == inputs.rolled_back;
        if looked.tried == Some(inputs.digest) && is_as_told {
            return;
        }
        looked.tried = Some(inputs.digest);
        let in_force = self.generation.borrow().clone();
        let workshop = Workshop {
            loader: self.parts.loader.as_ref(),
            standard: &self.parts.standard,
            now: self.parts.clock.now(),
        };
        let mut loaded = assemble(inputs, workshop, Previous::Generation(&in_force)).await;
        let generation = self.keep(&mut loaded);
        if generation.is_none() {
            // What is wrong may be outside of the folder, such as the mode of the key.
            looked.tried = None;
        }
        let before = self.status.borrow().clone();
        let diagnostics = said(&loaded.diagnostics);
        if generation.is_none() && !before.accepted && before.diagnostics == diagnostics {
            return;
        }
        let status = ReloadStatus {
            at: self.parts.clock.now(),
            accepted: generation.is_some(),
            kept: before.kept && generation.is_none(),
            diagnostics,
            rolled_back: match &generation {
                Some(_) => loaded.inputs.rolled_back,
                None => before.rolled_back,
            },
        };
        if !status.accepted {
            tracing::warn!("the changed configuration was refused; what is in force stays");
        }
        log(&status);
        if let Some(generation) = generation {
            tracing::info!(generation = %generation.digest, "the changed configuration is in force");
            self.parts.shelf.hold(&generation);
            self.generation.send_replace(generation);
        }
        self.status.send_replace(status);
        self.tell();
    }

    /// A generation that could not be found again after a crash is not put in force.
    fn keep(&self, loaded: &mut Loaded) -> Option<Arc<Generation>> {
        let generation = loaded.generation.clone()?;
        let kept = {
            let _alone = self.parts.shelf.no_pruning();
            last_good::keep(&self.parts.data_directory, loaded)
        };
        match kept {
            Ok(()) => Some(generation),
            Err(error) => {
                let problem = last_good::not_kept(&self.parts.data_directory, &error);
                loaded.diagnostics.push(problem);
                None
            }
        }
    }

    /// Waits until the files stay as they are, so that none is read while it is being written.
    async fn settled(&self, mut found: Fingerprint) -> Fingerprint {
        for _ in 0..LOOKS_MAX {
            self.parts.clock.sleep(self.parts.pace.settle).await;
            let again = Fingerprint::take(&self.parts.folder).await;
            if again == found {
                break;
            }
            found = again;
        }
        found
    }
}

fn log(status: &ReloadStatus) {
    for diagnostic in &status.diagnostics {
        tracing::warn!("{diagnostic}");
    }
}

fn said(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}
