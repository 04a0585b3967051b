//! Keeps runs, ticks, state and the audit log in SQLite.
//!
//! One thread writes and commits for all that wait; reads go to a few connections of their own.

mod artefacts;
mod audit;
mod audit_log;
mod audit_port;
mod checkpoint;
mod claims;
mod column;
mod fault;
mod findings;
mod follow;
mod grants;
mod journal;
mod overlap;
mod pauses;
mod pruning;
mod reader;
mod runs;
mod schedules;
mod scheduling;
mod schema;
mod sealed;
mod search;
mod soon;
mod state;
mod store;
mod ticks;
mod writer;

#[cfg(test)]
mod tests;

pub use store::SqliteStore;
