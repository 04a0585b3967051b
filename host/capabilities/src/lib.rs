//! What procedures can do to the world: one module for each interface of the contract.
//!
//! Every effect goes through the gate, which decides grants, records intents and watches the
//! time; nothing here knows of WebAssembly.

mod approvals;
mod blocking;
mod bundle;
mod clean;
mod commands;
mod databases;
mod files;
mod flow;
mod gate;
mod held;
mod journal;
mod masking;
mod meter;
mod network;
mod notary;
mod options;
mod partial;
mod place;
mod pretended;
mod procedures;
mod provider;
mod record;
mod redaction;
mod run;
mod scratch;
mod secrets;
mod sql;
mod state;
mod stop;
mod trouble;

pub use commands::{SupervisorProgram, supervise};
pub use provider::{Provider, Settings};
pub use redaction::Redactor;
pub use secrets::{HostKey, KeyPlace, SecretSettings};
pub use sql::{SessionProgram, serve_session};
