//! Masks what is a secret in everything that is kept, shown or handed to a guest.
//!
//! Two kinds of values are known: those of the operator's secrets, which every text in the process
//! is masked by, and those that a plugin came by and named in its run.

mod escape;
mod forms;
mod known;
mod mask;
mod patterns;
mod places;
mod redactor;

pub(crate) use mask::{Mask, Stream};
pub use redactor::Redactor;

use known::{Known, Values};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "[redacted]";
/// Values of a run that are masked one by one; beyond that every text is masked as a whole, so that
/// neither time nor a secret runs away.
const VALUES_MAX: usize = 256;
/// The same for the bytes of all values together, in all the ways in which they are looked for.
const FORMS_BYTES_MAX: usize = 512 << 10;

/// The values that may not be kept in any text of a run.
pub(crate) struct Redaction {
    secrets: Arc<Redactor>,
    own: Known<Named>,
}

/// What a plugin named.
#[derive(Default)]
struct Named {
    values: BTreeSet<Vec<u8>>,
    forms_bytes: usize,
}

impl Redaction {
    pub(crate) fn new(secrets: Arc<Redactor>) -> Self {
        Self {
            secrets,
            own: Known::default(),
        }
    }

    /// Masks this value in this run from now on, as it is and in common encodings.
    pub(crate) fn add(&self, value: &str) {
        if !value.is_empty() {
            self.own.change(|named| named.add(value.as_bytes()));
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

    /// The strings of JSON; they are data, so nothing is escaped.
    pub(crate) fn json(&self, value: Value) -> Value {
        self.mask().json(value)
    }
}

impl Named {
    fn add(&mut self, value: &[u8]) -> bool {
        if self.is_too_much() {
            return false;
        }
        if value.len() > FORMS_BYTES_MAX {
            // What would be too much is not written down in all its forms first.
            self.forms_bytes = value.len();
            return true;
        }
        if !self.values.insert(value.to_vec()) {
            return false;
        }
        let forms = forms::of(value);
        self.forms_bytes += forms.iter().map(|form| form.text.len()).sum::<usize>();
        true
    }

    fn is_too_much(&self) -> bool {
        self.values.len() > VALUES_MAX || self.forms_bytes > FORMS_BYTES_MAX
    }
}

impl Values for Named {
    fn all(&self) -> Option<Vec<&[u8]>> {
        (!self.is_too_much()).then(|| self.values.iter().map(Vec::as_slice).collect())
    }
}

#[cfg(test)]
mod tests;
