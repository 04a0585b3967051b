//! The sandbox: loads plugins, each set of bytes once.

use crate::cache::CompileCache;
use crate::configuration::LOADS_AT_ONCE_MAX;
use crate::describe::describe;
use crate::machine::Machine;
use crate::overdue::{Overdue, unusable};
use crate::plugin::Loaded;
use crate::settings::{SandboxError, Settings};
use async_trait::async_trait;
use sopwith_core::digest::Digest;
use sopwith_core::port::{Plugin, PluginLoader, PluginProblem};
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::task::spawn_blocking;

/// Loads plugins, and keeps those that are in use.
pub struct Sandbox {
    machine: Arc<Machine>,
    loads: Arc<Semaphore>,
    plugins: Mutex<HashMap<Digest, Slot>>,
    overdue: Overdue,
}

/// The place of one plugin; whoever loads it holds the lock, so that nobody else does.
type Slot = Arc<AsyncMutex<Weak<Loaded>>>;

/// How plugins came to be loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compilations {
    /// Compiled.
    pub compiled: u64,
    /// Taken from the cache on disk.
    pub cached: u64,
}

impl Sandbox {
    /// Makes a sandbox.
    pub fn new(settings: Settings) -> Result<Self, SandboxError> {
        Ok(Self {
            machine: Arc::new(Machine::new(settings)?),
            loads: Arc::new(Semaphore::new(LOADS_AT_ONCE_MAX as usize)),
            plugins: Mutex::default(),
            overdue: Overdue::default(),
        })
    }

    /// How plugins came to be loaded so far. Those that were loaded already do not count.
    pub fn compilations(&self) -> Compilations {
        let cached = self.machine.cache.as_ref().map_or(0, CompileCache::hits);
        Compilations {
            compiled: self.machine.components.load(Relaxed).saturating_sub(cached),
            cached,
        }
    }

    /// The place of a plugin; those of plugins that nobody uses are given up.
    fn slot(&self, digest: Digest) -> Slot {
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|plugin| plugin.strong_count() > 0)
        });
        Arc::clone(plugins.entry(digest).or_default())
    }

    async fn load_new(&self, bytes: Arc<[u8]>, digest: Digest) -> Result<Arc<Loaded>, PluginProblem> {
        let load = Arc::clone(&self.loads).acquire_owned().await.map_err(unusable)?;
        let machine = Arc::clone(&self.machine);
        let size = bytes.len() as u64;
        // A load that is given up goes on compiling, and counts until it is done.
        let overdue = self.overdue.clone();
        let compiling = tokio::spawn(async move { (overdue.compile(machine, bytes, digest).await, load) });
        let (compiled, load) = compiling.await.map_err(unusable)?;
        let compiled = compiled?;
        let manifest = describe(&self.machine, &compiled.ready).await?;
        drop(load);
        Ok(Arc::new(Loaded {
            machine: Arc::clone(&self.machine),
            ready: compiled.ready,
            manifest,
            imports: compiled.imports,
            digest,
            size,
        }))
    }
}

#[async_trait]
impl PluginLoader for Sandbox {
    async fn load(&self, bytes: Arc<[u8]>) -> Result<Arc<dyn Plugin>, PluginProblem> {
        let hashed = Arc::clone(&bytes);
        let digest = spawn_blocking(move || Digest::of(&hashed))
            .await
            .map_err(unusable)?;
        let slot = self.slot(digest);
        let mut place = slot.lock().await;
        if let Some(plugin) = place.upgrade() {
            return Ok(plugin);
        }
        let plugin = self.load_new(bytes, digest).await?;
        *place = Arc::downgrade(&plugin);
        Ok(plugin)
    }
}
