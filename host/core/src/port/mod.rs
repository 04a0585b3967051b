//! The ports: what the other crates implement, and through which alone they meet.

mod artefacts;
mod audit;
mod audit_operations;
mod calls;
pub mod capabilities;
mod clock;
pub mod operations;
mod plugin;
mod pruning;
mod reloads;
mod scheduling;
mod sealed;
mod secrets;
mod store;

pub use artefacts::Artefacts;
pub use audit::{AuditFilter, AuditLog, Notary, OldEntries};
pub use calls::{CALL_DEPTH_MAX, Calls, Lent, NoCalls, ProcedureCall};
pub use clock::{Clock, Entropy};
pub use plugin::{Bounds, Call, Ended, Plugin, PluginLoader, PluginProblem, PluginShelf};
pub use pruning::{Place, Portion, Pruned, Pruning};
pub use reloads::{Reloads, Rollback, RolledBack};
pub use scheduling::{FailuresInARow, Follower, Owed, Pause, PauseScope, Scheduling, Start, Started};
pub use sealed::{SealedSecrets, SealedVersion};
pub use secrets::{SecretKeeper, SecretSet, SecretStatus};
pub use store::*;
