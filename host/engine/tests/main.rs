//! The engine with the real store, in virtual time.

mod answers;
mod audit_log;
mod broken_record;
mod calls;
mod cancelling;
mod crashes;
mod invariants;
mod locks;
mod panics;
mod reloads;
mod retries;
mod shutdown;
mod simulation;
mod support;
mod suspensions;
mod ticks;
