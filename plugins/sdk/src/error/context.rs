//! What was being done when something failed.

use super::{Error, Result};
use std::fmt::Display;

/// Says what was being done when something failed or was missing.
pub trait Context<T> {
    /// Puts what was being done in front of the message.
    fn context(self, doing: impl Display) -> Result<T>;

    /// The same, for a text that is worth making only after a failure.
    fn with_context<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }

    fn with_context<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| error.into().context(doing()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl Display) -> Result<T> {
        self.ok_or_else(|| Error::failed(doing))
    }

    fn with_context<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T> {
        self.ok_or_else(|| Error::failed(doing()))
    }
}
