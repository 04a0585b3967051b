//! The engine with what every guest of it shares.

use crate::bind;
use crate::cache::CompileCache;
use crate::configuration;
use crate::guest::Guest;
use crate::http;
use crate::settings::{Allocation, SandboxError, Settings};
use crate::ticker::Ticker;
use crate::wasi;
use sopwith_core::port::{Clock, Entropy};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use wasmtime::Engine;
use wasmtime::component::Linker;

/// The engine with what every guest of it shares.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    pub(crate) ticker: Ticker,
    pub(crate) cache: Option<CompileCache>,
    /// Components that were compiled or taken from the cache.
    pub(crate) components: AtomicU64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Machine {
    pub(crate) fn new(settings: Settings) -> Result<Self, SandboxError> {
        let cache = settings.cache.map(CompileCache::open).transpose()?;
        let engine_cache = cache.as_ref().map(CompileCache::engine);
        let configuration = configuration::configuration(settings.allocation, engine_cache);
        let engine = Engine::new(&configuration).map_err(|error| no_engine(settings.allocation, &error))?;
        let ticker =
            Ticker::start(engine.clone()).map_err(|error| SandboxError::Unusable(error.to_string()))?;
        Ok(Self {
            linker: link(&engine).map_err(|error| SandboxError::Unusable(format!("{error:#}")))?,
            engine,
            ticker,
            cache,
            components: AtomicU64::new(0),
            clock: settings.clock,
            entropy: settings.entropy,
        })
    }
}

/// Links every interface for every guest: whether a call is granted is decided when it is made.
fn link(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    bind::link(&mut linker)?;
    wasi::link(&mut linker)?;
    http::link(&mut linker)?;
    Ok(linker)
}

fn no_engine(allocation: Allocation, error: &wasmtime::Error) -> SandboxError {
    let why = format!("{error:#}");
    match allocation {
        Allocation::Pooling { runs_at_once_max } => SandboxError::Reservation {
            runs_at_once_max,
            why,
        },
        Allocation::OnDemand => SandboxError::Unusable(why),
    }
}
