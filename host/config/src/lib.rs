//! Turns TOML files into a validated generation, and watches them for changes.
//!
//! Files → [`Inputs`] → documents with places → raw shapes → validated host and procedures →
//! plugins that fit them → [`Generation`](sopwith_core::generation::Generation). Each stage tells
//! everything that is wrong, as [`Diagnostic`]s with file, line and hint.

mod assemble;
mod attach;
mod catalogue;
mod diagnostic;
mod document;
mod durable;
mod host;
mod inputs;
pub mod last_good;
mod limits;
mod load;
mod path;
mod previous;
mod procedure;
mod quantity;
mod raw;
mod reload;
pub mod schema;
mod shape;
mod shelf;
mod source;
mod zone;

pub use catalogue::StandardPlugin;
pub use diagnostic::{Diagnostic, Place, Severity, has_errors};
pub use host::{PeekError, peek_data_directory};
pub use inputs::{HOST_FILE, Inputs};
pub use load::{Loaded, Workshop, load};
pub use reload::{Pace, ReloadParts, Reloader};
pub use shape::check_inputs;
pub use shelf::Shelf;
