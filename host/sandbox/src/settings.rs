//! What a sandbox is made from, and why it could not be made.

use sopwith_core::port::{Clock, Entropy};
use std::path::PathBuf;
use std::sync::Arc;

/// What a sandbox is made from.
#[derive(Clone)]
pub struct Settings {
    /// Where compiled plugins are kept; nowhere if it is absent. It is made if it is not there,
    /// and must belong to the host's user alone.
    pub cache_directory: Option<PathBuf>,
    /// Where the memory of guests comes from.
    pub allocation: Allocation,
    /// The guests' clock, and the one by which their time is up.
    pub clock: Arc<dyn Clock>,
    /// The guests' randomness.
    pub entropy: Arc<dyn Entropy>,
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
