//! What procedures can do to the world: one module for each interface of the contract.
//!
//! Every effect goes through the gate, which decides grants, records intents and watches the
//! time; nothing here knows of WebAssembly.

mod blocking;
mod bundle;
mod clean;
mod databases;
mod files;
mod flow;
mod gate;
mod held;
mod journal;
mod network;
mod options;
mod partial;
mod place;
mod pretended;
mod provider;
mod record;
mod redaction;
mod run;
mod scratch;
mod sql;
mod state;
mod stop;
mod trouble;

pub use provider::{Provider, Settings};
