//! What a sandbox is made from, and why it could not be made.

use sopwith_core::port::{Artefacts, Clock, Entropy};
use std::path::PathBuf;
use std::sync::Arc;

/// What a sandbox is made from.
#[derive(Clone)]
pub struct Settings {
    /// Where compiled plugins are kept; nowhere if it is absent.
    pub cache: Option<CacheSettings>,
    /// Where the memory of guests comes from.
    pub allocation: Allocation,
    /// The guests' clock, and the one by which their time is up.
    pub clock: Arc<dyn Clock>,
    /// The guests' randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Where compiled plugins are kept.
#[derive(Clone)]
pub struct CacheSettings {
    /// Made if it is not there. It belongs to the host's user alone.
    pub directory: PathBuf,
    /// Knows what this host put there; nothing else in it reaches the engine.
    pub artefacts: Arc<dyn Artefacts>,
    /// What is done where others could have put something there.
    pub unfit: Unfit,
}

/// What is done about a directory of compiled plugins whose owner or mode is wrong, or that has a
/// link in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is made anew: by the host that has the data directory for itself. Links are not
    /// followed, and what belongs to somebody else is set aside as it is.
    Rebuild,
    /// There is no sandbox with this cache: for who only looks.
    Refuse,
}

/// Where the memory of guests comes from. Both refuse the same guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// Address space is taken for each run: for commands that run once.
    OnDemand,
    /// Address space is reserved at the start: for a service.
    Pooling {
        /// How many runs there may be at once.
        runs_at_once_max: u32,
    },
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Compiled plugins cannot safely be kept there.
    #[error("the compile cache `{}` cannot be used: {why}", path.display())]
    Cache {
        /// The directory, or what is wrong beneath it.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The machine does not give so much address space; `Allocation::OnDemand` needs none.
    #[error("no address space can be reserved for {runs_at_once_max} runs at once: {why}")]
    Reservation {
        /// How many runs it was for.
        runs_at_once_max: u32,
        /// What the machine says.
        why: String,
    },
    /// The machine lacks something that the sandbox needs.
    #[error("the sandbox cannot be made: {0}")]
    Unusable(String),
}
