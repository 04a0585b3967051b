//! What a host stands on: clock, randomness, the sandbox with its compile cache, and the engine
//! over them.

use crate::clock::{SystemClock, SystemEntropy};
use crate::exit::{Ended, Exit};
use crate::standard;
use sopwith_capabilities::{Provider, Settings as CapabilitySettings};
use sopwith_config::{Diagnostic, Shelf, StandardPlugin, Workshop};
use sopwith_core::actor::Actor;
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::port::{Clock, Entropy, PluginLoader, Store};
use sopwith_engine::{Desk, Engine, Parts};
use sopwith_sandbox::{Allocation, Sandbox, SandboxError, Settings as SandboxSettings};
use sopwith_server::actor_of;
use sopwith_store::SqliteStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// What does not depend on the files of the configuration.
pub(crate) struct Foundation {
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(crate) loader: Arc<dyn PluginLoader>,
    pub(crate) standard: Arc<[StandardPlugin]>,
}

impl Foundation {
    /// Clock, randomness and the sandbox with its compile cache.
    pub(crate) fn lay(data_directory: &Path, allocation: Allocation) -> anyhow::Result<Self> {
        Self::with_cache(Some(&data_directory.join("cache")), allocation)
    }

    /// The same for who only looks: where the cache is not there or somebody else's, each plugin is
    /// compiled anew.
    pub(crate) fn to_look(data_directory: &Path) -> anyhow::Result<Self> {
        let cached = data_directory
            .is_dir()
            .then(|| Self::lay(data_directory, Allocation::OnDemand).ok())
            .flatten();
        cached.map_or_else(|| Self::with_cache(None, Allocation::OnDemand), Ok)
    }

    fn with_cache(cache_directory: Option<&Path>, allocation: Allocation) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let settings = |allocation| SandboxSettings {
            cache_directory: cache_directory.map(Path::to_owned),
            allocation,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        };
        let loader = match Sandbox::new(settings(allocation)) {
            Err(error @ SandboxError::Reservation { .. }) => {
                tracing::warn!("{error}; memory is taken for each run instead");
                Sandbox::new(settings(Allocation::OnDemand))
            }
            made => made,
        }?;
        Ok(Self {
            clock,
            entropy,
            loader: Arc::new(loader),
            standard: standard::plugins().into(),
        })
    }

    /// What files are made into a generation with.
    pub(crate) fn workshop(&self) -> Workshop<'_> {
        Workshop {
            loader: &*self.loader,
            standard: &self.standard,
            now: self.clock.now(),
        }
    }

    /// An engine over the record of this data directory.
    pub(crate) fn engine(
        &self,
        data_directory: &Path,
        plugins: Arc<Shelf>,
        generation: watch::Receiver<Arc<Generation>>,
    ) -> anyhow::Result<Engine> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data_directory.join("history.db"))?);
        let host = generation.borrow().host.clone();
        let capabilities = Provider::new(CapabilitySettings {
            store: Arc::clone(&store),
            clock: Arc::clone(&self.clock),
            scratch_directory: host.scratch_directory,
            ca_files: host.ca_files,
        })?;
        Ok(Engine::new(Parts {
            store,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            capabilities: Arc::new(capabilities),
            shelf: plugins,
            generation,
            check_inputs: sopwith_config::check_inputs,
        }))
    }
}

/// Where the data of a configuration is, whatever else is wrong with its files.
pub(crate) fn data_directory(folder: &Path) -> anyhow::Result<PathBuf> {
    if !folder.join(sopwith_config::HOST_FILE).exists() {
        let message = format!(
            "there is no `{}`",
            folder.join(sopwith_config::HOST_FILE).display()
        );
        let hint = "`sopwith init` writes one; `--config DIR` or `SOPWITH_CONFIG` names another folder";
        return Err(Ended {
            exit: Exit::InvalidConfiguration,
            message,
            hint: Some(hint.to_owned()),
        }
        .into());
    }
    sopwith_config::peek_data_directory(folder)
        .map_err(|error| Ended::new(Exit::InvalidConfiguration, error.to_string()).into())
}

/// The user of the operating system who started this process.
pub(crate) fn myself() -> Actor {
    actor_of(rustix::process::getuid().as_raw())
}

/// A desk that knows of reloads.
pub(crate) fn desk(engine: Engine, actor: Actor, reload: watch::Receiver<ReloadStatus>) -> Desk {
    Desk::new(engine, actor, Arc::new(move || reload.borrow().clone()))
}

/// Says what is wrong with the files.
pub(crate) fn refuse(diagnostics: &[Diagnostic]) -> anyhow::Error {
    for diagnostic in diagnostics {
        anstream::eprintln!("{diagnostic}\n");
    }
    let message = "the configuration is invalid, and no good one was kept";
    Ended::new(Exit::InvalidConfiguration, message).into()
}
