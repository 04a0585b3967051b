//! Masks what is a secret in everything that is kept, shown or handed to a guest.
//!
//! Two kinds of values are known: those of the operator's secrets, which every text in the process
//! is masked by, and those that a plugin named or put, which only its own run is masked by.

mod escape;
mod forms;
mod mask;
mod named;
mod patterns;
mod places;
mod redactor;
mod search;

pub(crate) use mask::{Mask, Stream};
pub use redactor::Redactor;

use mask::Names;
use named::Named;
use serde_json::Value;
use std::sync::Arc;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "[redacted]";

/// The values that may not be kept in any text of a run.
pub(crate) struct Redaction {
    secrets: Arc<Redactor>,
    own: Named,
}

impl Redaction {
    pub(crate) fn new(secrets: Arc<Redactor>) -> Self {
        Self {
            secrets,
            own: Named::default(),
        }
    }

    /// Masks this value in this run from now on, as it is and in common encodings.
    pub(crate) fn add(&self, value: &str) {
        if !value.is_empty() {
            self.own.add(value.as_bytes());
        }
    }

    /// The same of a value that a secret could be given, but nobody uses yet, or any more.
    pub(crate) fn add_secret(&self, value: &[u8]) {
        if value.len() >= Redactor::VALUE_BYTES_MIN {
            self.own.add(value);
        }
    }

    /// Whatever is known now.
    pub(crate) fn mask(&self) -> Mask {
        Mask::new([self.secrets.search(), self.own.search()])
    }

    /// A text of one line.
    pub(crate) fn line(&self, text: &str) -> String {
        escape::line(&self.mask().text(text))
    }

    /// A text that may have several lines.
    pub(crate) fn text(&self, text: &str) -> String {
        escape::lines(&self.mask().text(text))
    }

    /// A text of one line that the host itself wrote. A plugin has no say in what an operator reads
    /// there, so that only secrets are masked in it.
    pub(crate) fn line_of_host(&self, text: &str) -> String {
        escape::line(&self.secrets.mask(text))
    }

    /// The strings of JSON; they are data, so nothing is escaped.
    pub(crate) fn json(&self, value: Value) -> Value {
        self.mask().json(value, Names::Masked)
    }
}

#[cfg(test)]
mod tests;
