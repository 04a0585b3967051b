//! Tries a property on a kept corpus and on many cases made from it, for a given time.
//!
//! A fuzz target is a test: it runs for a second in `just test`, and for ten minutes in `just soak`. Nothing
//! measures coverage on a stable compiler, so what finds the corners is the corpus and the words that
//! the edits are made with. A case that breaks the property is made smaller and kept beside the others, under a
//! name that begins with `found-`; from then on it is tried first.

mod case;
mod kept;
mod target;
mod text;
mod url;
mod watch;

pub use case::{Case, Parts};
pub use target::{Target, seed};
pub use text::{Edits, edited, edits};
pub use url::origins_and_urls;
