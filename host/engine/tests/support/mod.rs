//! Hosts in virtual time, with the real store, scripted plugins and faults.

mod capabilities;
mod clock;
mod entropy;
mod faults;
mod host;
mod plugin;
mod procedures;
mod stage;
mod store;
mod told;

pub(crate) use capabilities::SECRET;
pub(crate) use entropy::Seeded;
pub(crate) use faults::Fault;
pub(crate) use host::{Host, World};
pub(crate) use procedures::{every_minute, often_at_once, procedure, retried, scheduled, using_app};
pub(crate) use stage::Act;
pub(crate) use told::told;
