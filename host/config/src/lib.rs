//! Turns TOML files into a validated generation, and watches them for changes.
//!
//! Files → [`Inputs`] → documents with places → raw shapes → validated host and procedures →
//! plugins that fit them → [`Generation`](sopwith_core::generation::Generation). Each stage tells
//! everything that is wrong, as [`Diagnostic`]s with file, line and hint.

mod after;
mod assemble;
mod attach;
mod calls;
mod catalogue;
mod diagnostic;
pub mod difference;
mod document;
mod durable;
mod host;
mod inputs;
pub mod last_good;
mod limits;
mod load;
mod of_plugins;
mod path;
mod previous;
mod procedure;
mod quantity;
mod raw;
mod reload;
mod retention;
mod rollback;
pub mod schema;
mod secrets;
mod shape;
mod shelf;
mod signature;
mod source;
mod zone;

pub use catalogue::StandardPlugin;
pub use diagnostic::{Diagnostic, Place, Severity, has_errors};
pub use host::{KEY_FILE, PeekError, credentials_directory, peek_data_directory, peek_key_file};
pub use inputs::{HOST_FILE, Inputs};
pub use load::{Loaded, Wants, Workshop, load};
pub use reload::{Pace, ReloadParts, Reloaded, Reloader};
pub use shape::check_inputs;
pub use shape::nearest::hint as nearest_name;
pub use shelf::Shelf;
