//! A small clinic: the sample application that the demo and the tests look after.
//!
//! It is a real HTTP service on SQLite that keeps writing, and each thing that it promises can be
//! broken on purpose and mended again.

mod attachments;
mod breakage;
pub mod clock;
mod damage;
mod error;
mod http;
pub mod inspection;
mod ledger;
mod patients;
mod places;
mod sample;
pub mod schema;
mod seed;
mod service;
mod work;
mod writer;

pub use breakage::Breakage;
pub use error::Error;
pub use ledger::{Balance, balance_of};
pub use places::Places;
pub use seed::{Seeded, seed};
pub use service::{Options, Running, start};
