//! The ports: what the other crates implement, and through which alone they meet.

mod artefacts;
pub mod capabilities;
mod clock;
pub mod operations;
mod plugin;
mod pruning;
mod reloads;
mod sealed;
mod secrets;
mod store;

pub use artefacts::Artefacts;
pub use clock::{Clock, Entropy};
pub use plugin::{Bounds, Call, Ended, Plugin, PluginLoader, PluginProblem, PluginShelf};
pub use pruning::{Place, Portion, Pruned, Pruning};
pub use reloads::{Reloads, Rollback, RolledBack};
pub use sealed::{SealedSecrets, SealedVersion};
pub use secrets::{SecretKeeper, SecretSet, SecretStatus};
pub use store::*;
