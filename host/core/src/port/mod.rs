//! The ports: what the other crates implement, and through which alone they meet.

mod artefacts;
pub mod capabilities;
mod clock;
pub mod operations;
mod plugin;
mod scheduling;
mod sealed;
mod secrets;
mod store;

pub use artefacts::Artefacts;
pub use clock::{Clock, Entropy};
pub use plugin::{Bounds, Call, Ended, Plugin, PluginLoader, PluginProblem, PluginShelf};
pub use scheduling::{FailuresInARow, Follower, Owed, Pause, PauseScope, Scheduling, Start, Started};
pub use sealed::{SealedSecrets, SealedVersion};
pub use secrets::{SecretKeeper, SecretSet, SecretStatus};
pub use store::*;
