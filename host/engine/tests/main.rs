//! The engine with the real store, in virtual time.

mod answers;
mod audit_log;
mod broken_record;
mod calls;
mod cancelling;
mod clocks;
mod crashes;
mod every_write;
mod following;
mod invariants;
mod locks;
mod overlaps;
mod panics;
mod pauses;
mod policies;
mod reloads;
mod retention;
mod retries;
mod shutdown;
mod simulation;
mod support;
mod suspensions;
mod ticks;
