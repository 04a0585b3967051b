//! Loads, checks, limits and calls WebAssembly components.
//!
//! [`Sandbox`] turns bytes into plugins. Whatever a plugin does to the world goes through the
//! `Capabilities` that its call is given; what it may use of memory, time and the processor is
//! bounded here. No type of wasmtime is part of what this crate offers.

mod answered;
mod bind;
mod bindings;
mod cache;
mod compile;
mod configuration;
mod contract;
mod describe;
mod ending;
mod guest;
mod http;
mod http_request;
mod json;
mod machine;
mod memory;
mod no_capabilities;
mod overdue;
mod path;
mod plugin;
mod printed;
mod processor;
mod report;
mod sandbox;
mod schema;
mod settings;
mod shape;
mod texts;
mod ticker;
mod visit;
mod wasi;
mod watch;

pub use sandbox::{Compilations, Sandbox};
pub use settings::{Allocation, CacheSettings, SandboxError, Settings, Unfit};
