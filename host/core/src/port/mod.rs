//! The ports: what the other crates implement, and through which alone they meet.

pub mod capabilities;
mod clock;
pub mod operations;
mod plugin;
mod store;

pub use clock::{Clock, Entropy};
pub use plugin::{Bounds, Call, Ended, Plugin, PluginLoader, PluginProblem, PluginShelf};
pub use store::*;
