//! Takes up changed files while the host runs: a reload is whole or not at all.

mod fingerprint;
mod watcher;

use crate::catalogue::StandardPlugin;
use crate::diagnostic::Diagnostic;
use crate::last_good::{self, Started};
use crate::load::{Loaded, Workshop, assemble, read};
use crate::previous::Previous;
use crate::shelf::Shelf;
use fingerprint::Fingerprint;
use sopwith_core::digest::Digest;
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::port::{Clock, PluginLoader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
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

/// Watches a folder and puts each good configuration in force.
pub struct Reloader {
    parts: ReloadParts,
    generation: watch::Sender<Arc<Generation>>,
    status: watch::Sender<ReloadStatus>,
    record: mpsc::UnboundedSender<Reloaded>,
    reloads: Option<mpsc::UnboundedReceiver<Reloaded>>,
    /// The content that was tried last; none if trying it again may turn out better.
    tried: Option<Digest>,
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
        };
        let (record, reloads) = mpsc::unbounded_channel();
        let reloader = Self {
            parts,
            generation: watch::Sender::new(started.generation),
            status: watch::Sender::new(status),
            record,
            reloads: Some(reloads),
            tried: Some(started.inputs.digest),
        };
        reloader.tell();
        reloader
    }

    /// Every reload from the start on, that of the start included. Nobody else hears of them.
    pub fn reloads(&mut self) -> mpsc::UnboundedReceiver<Reloaded> {
        self.reloads.take().unwrap_or_else(|| mpsc::unbounded_channel().1)
    }

    fn tell(&self) {
        // Where nobody records them nobody listens.
        let _ = self.record.send(Reloaded {
            status: self.status.borrow().clone(),
            generation: self.generation.borrow().clone(),
        });
    }

    /// What is in force, now and from now on.
    pub fn generation(&self) -> watch::Receiver<Arc<Generation>> {
        self.generation.subscribe()
    }

    /// What became of the newest change, now and from now on.
    pub fn status(&self) -> watch::Receiver<ReloadStatus> {
        self.status.subscribe()
    }

    /// Reads the folder and takes it up if its content is new and good.
    pub async fn reload(&mut self) {
        let inputs = read(&self.parts.folder).await;
        if self.tried == Some(inputs.digest) {
            return;
        }
        self.tried = Some(inputs.digest);
        let in_force = self.generation.borrow().clone();
        let workshop = Workshop {
            loader: self.parts.loader.as_ref(),
            standard: &self.parts.standard,
            now: self.parts.clock.now(),
        };
        let mut loaded = assemble(inputs, workshop, Previous::Generation(&in_force)).await;
        let generation = self.keep(&mut loaded);
        let kept = self.status.borrow().kept;
        let status = ReloadStatus {
            at: self.parts.clock.now(),
            accepted: generation.is_some(),
            kept: kept && generation.is_none(),
            diagnostics: said(&loaded.diagnostics),
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
    fn keep(&mut self, loaded: &mut Loaded) -> Option<Arc<Generation>> {
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
                self.tried = None;
                None
            }
        }
    }

    /// Reloads after each change until it is told to end.
    pub async fn watch(mut self, end: CancellationToken) {
        if self.status.borrow().kept {
            tracing::warn!("the files are broken: the last good configuration is in force");
            log(&self.status.borrow());
        }
        let mut watcher = Watcher::new(&self.parts.folder);
        let mut seen = Fingerprint::take(&self.parts.folder).await;
        // Something may have changed between the start and now.
        self.reload().await;
        loop {
            let hinted = tokio::select! {
                () = end.cancelled() => return,
                () = watcher.changed() => true,
                () = self.parts.clock.sleep(self.parts.pace.poll) => false,
            };
            let found = Fingerprint::take(&self.parts.folder).await;
            if hinted || found != seen || self.tried.is_none() {
                tokio::select! {
                    () = end.cancelled() => return,
                    settled = self.settled(found) => seen = settled,
                }
                self.reload().await;
            }
            watcher.renew();
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
