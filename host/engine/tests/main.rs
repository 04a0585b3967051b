//! The engine with the real store, in virtual time.

mod broken_record;
mod cancelling;
mod crashes;
mod invariants;
mod locks;
mod panics;
mod reloads;
mod retention;
mod retries;
mod shutdown;
mod simulation;
mod support;
mod ticks;
