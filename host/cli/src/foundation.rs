//! What a host stands on: clock, randomness, the sandbox with its compile cache, and the engine
//! over them.

use crate::clock::{SystemClock, SystemEntropy};
use crate::exit::{Ended, Exit};
use crate::secrecy;
use crate::standard;
use sopwith_capabilities::{
    KeyPlace, Provider, SecretSettings, SessionProgram, Settings as CapabilitySettings, SupervisorProgram,
};
use sopwith_config::{Diagnostic, Shelf, StandardPlugin, Workshop, credentials_directory};
use sopwith_core::actor::Actor;
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::port::{Clock, Entropy, PluginLoader, Pruning, Store};
use sopwith_engine::{Desk, Engine, Parts};
use sopwith_sandbox::{Allocation, CacheSettings, Sandbox, SandboxError, Settings as SandboxSettings, Unfit};
use sopwith_server::{actor_of, groups_of};
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
    /// The record; none where there is no need of it yet.
    record: Option<Arc<SqliteStore>>,
}

impl Foundation {
    /// Clock, randomness, the record, and the sandbox with its compile cache; for who holds the
    /// lock of the data directory.
    pub(crate) fn lay(data_directory: &Path, allocation: Allocation) -> anyhow::Result<Self> {
        let record = Arc::new(SqliteStore::open(&record_in(data_directory))?);
        let cache = cache_in(data_directory, &record, Unfit::Rebuild);
        Self::with_cache(Some(&cache), Some(record), allocation)
    }

    /// The same for who only looks: where the record or the cache is not there or not in order, each
    /// plugin is compiled anew.
    pub(crate) fn to_look(data_directory: &Path) -> anyhow::Result<Self> {
        let record = SqliteStore::open_existing(&record_in(data_directory));
        match record.ok().flatten() {
            Some(record) => Self::looking(data_directory, record),
            None => Self::with_cache(None, None, Allocation::OnDemand),
        }
    }

    /// The same for who reads the record, under the lock of the data directory.
    pub(crate) fn to_read(data_directory: &Path) -> anyhow::Result<Self> {
        Self::looking(data_directory, SqliteStore::open(&record_in(data_directory))?)
    }

    fn looking(data_directory: &Path, record: SqliteStore) -> anyhow::Result<Self> {
        let record = Arc::new(record);
        let cache = cache_in(data_directory, &record, Unfit::Refuse);
        match Self::with_cache(Some(&cache), Some(Arc::clone(&record)), Allocation::OnDemand) {
            Err(_) => Self::with_cache(None, Some(record), Allocation::OnDemand),
            cached => cached,
        }
    }

    fn with_cache(
        cache: Option<&CacheSettings>,
        record: Option<Arc<SqliteStore>>,
        allocation: Allocation,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let settings = |allocation| SandboxSettings {
            cache: cache.cloned(),
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
            record,
        })
    }

    /// What takes old history away; only where a record was opened.
    pub(crate) fn pruning(&self) -> Option<Arc<dyn Pruning>> {
        self.record.clone().map(|record| record as Arc<dyn Pruning>)
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
        let record = match &self.record {
            Some(record) => Arc::clone(record),
            None => Arc::new(SqliteStore::open(&record_in(data_directory))?),
        };
        let store: Arc<dyn Store> = record.clone();
        let host = generation.borrow().host.clone();
        let capabilities = Provider::new(CapabilitySettings {
            store: Arc::clone(&store),
            clock: Arc::clone(&self.clock),
            scratch_directory: host.scratch_directory,
            // This very binary, even when another one has taken its place.
            session_program: SessionProgram {
                path: "/proc/self/exe".into(),
                arguments: vec![crate::SQL_SESSION.into()],
            },
            supervisor_program: SupervisorProgram {
                path: "/proc/self/exe".into(),
                arguments: vec![crate::SUPERVISE_COMMAND.into()],
            },
            ca_files: host.ca_files,
            resolver: host.resolver,
            redactor: secrecy::redactor(),
            secrets: SecretSettings {
                sealed: record.clone(),
                key: key_place(host.key_file),
                credentials_directory: credentials_directory(),
                entropy: Arc::clone(&self.entropy),
            },
        })?;
        Ok(Engine::new(Parts {
            store,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            audit: record,
            notary: capabilities.notary(),
            secrets: capabilities.secrets(),
            capabilities: Arc::new(capabilities),
            shelf: plugins,
            generation,
            check_inputs: sopwith_config::check_inputs,
        }))
    }
}

fn record_in(data_directory: &Path) -> PathBuf {
    data_directory.join("history.db")
}

fn cache_in(data_directory: &Path, record: &Arc<SqliteStore>, unfit: Unfit) -> CacheSettings {
    CacheSettings {
        directory: data_directory.join("cache"),
        artefacts: record.clone(),
        unfit,
    }
}

/// Where the key of a host is that names this file for it.
pub(crate) fn key_place(key_file: PathBuf) -> KeyPlace {
    KeyPlace::new(key_file, credentials_directory().as_deref())
}

/// Where the data of a configuration is, whatever else is wrong with its files.
pub(crate) fn data_directory(folder: &Path) -> anyhow::Result<PathBuf> {
    expect_host_file(folder)?;
    sopwith_config::peek_data_directory(folder)
        .map_err(|error| Ended::new(Exit::InvalidConfiguration, error.to_string()).into())
}

/// Where the key of a configuration is, whatever else is wrong with its files.
pub(crate) fn key_file(folder: &Path) -> anyhow::Result<PathBuf> {
    expect_host_file(folder)?;
    sopwith_config::peek_key_file(folder)
        .map_err(|error| Ended::new(Exit::InvalidConfiguration, error.to_string()).into())
}

fn expect_host_file(folder: &Path) -> anyhow::Result<()> {
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
    Ok(())
}

/// The user of the operating system who started this process.
pub(crate) fn myself() -> Actor {
    actor_of(rustix::process::getuid().as_raw())
}

/// A desk that knows of reloads.
pub(crate) fn desk(engine: Engine, actor: Actor, reload: watch::Receiver<ReloadStatus>) -> Desk {
    let groups = groups_of(&actor);
    Desk::new(engine, actor, Arc::new(move || reload.borrow().clone())).with_groups(groups)
}

/// Says what is wrong with the files.
pub(crate) fn refuse(diagnostics: &[Diagnostic]) -> anyhow::Error {
    for diagnostic in diagnostics {
        anstream::eprintln!("{diagnostic}\n");
    }
    let message = "the configuration is invalid, and no good one was kept";
    Ended::new(Exit::InvalidConfiguration, message).into()
}
