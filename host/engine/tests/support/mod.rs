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
mod told;

pub(crate) use capabilities::SECRET;
pub(crate) use entropy::Seeded;
pub(crate) use faults::Fault;
pub(crate) use host::{Host, World, submission};
pub(crate) use procedures::{
    calling, every_minute, gated, often_at_once, procedure, retried, scheduled, using_app,
};
pub(crate) use stage::Act;
pub(crate) use told::told;
