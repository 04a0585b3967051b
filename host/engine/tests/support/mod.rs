//! Hosts in virtual time, with the real store, scripted plugins and faults.

mod audit_log;
mod capabilities;
mod clock;
mod entropy;
mod faults;
mod host;
mod notary;
mod plugin;
mod procedures;
mod stage;
mod store;

pub(crate) use capabilities::SECRET;
pub(crate) use entropy::Seeded;
pub(crate) use faults::Fault;
pub(crate) use host::{Host, World, submission};
pub(crate) use procedures::{calling, gated, procedure, retried, scheduled, using_app};
pub(crate) use stage::Act;
