//! Keeps runs, ticks, state and the audit log in SQLite.
//!
//! One thread writes and commits for all that wait; reads go to a few connections of their own.

mod artefacts;
mod audit;
mod claims;
mod column;
mod fault;
mod findings;
mod grants;
mod journal;
mod pruning;
mod reader;
mod runs;
mod schedules;
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
