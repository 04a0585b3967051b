//! The values of the operator's secrets, which are masked everywhere in this process.

use super::known::{Known, Search, Values};
use super::mask::Mask;
use serde_json::Value;
use sopwith_core::name::ResourceName;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Values of one secret that are masked; of more, the newest. A command may hand out another token
/// each time, and a service goes on for years.
const VALUES_OF_A_SECRET_MAX: usize = 32;

/// Knows the values of secrets, and masks them. One for a process.
#[derive(Default)]
pub struct Redactor {
    known: Known<Secrets>,
}

/// The values of each secret, the newest last.
#[derive(Default)]
struct Secrets(BTreeMap<ResourceName, Vec<Vec<u8>>>);

impl Redactor {
    /// A shorter value stands in so many texts that masking it would make all of them unreadable;
    /// it is not masked.
    pub const VALUE_BYTES_MIN: usize = 4;

    /// Masks this value of a secret from now on, as it is and in common encodings.
    pub fn learn(&self, secret: &ResourceName, value: &[u8]) {
        if value.len() >= Self::VALUE_BYTES_MIN {
            self.known.change(|secrets| secrets.learn(secret, value));
        }
    }

    /// The text with `[redacted]` in the place of each value.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.look().text(text)
    }

    /// The bytes with `[redacted]` in the place of each value.
    pub fn mask_bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.look().bytes(bytes)
    }

    /// The JSON with `[redacted]` in the place of each value in its strings.
    pub fn mask_value(&self, value: Value) -> Value {
        self.look().json(value)
    }

    /// JSON text with `[redacted]` in the place of each value in its strings.
    pub fn mask_json(&self, text: Vec<u8>) -> Vec<u8> {
        let mask = self.look();
        if matches!(mask.bytes(&text), Cow::Borrowed(_)) {
            return text;
        }
        // A mask in the middle of an escape would leave no JSON.
        match serde_json::from_slice(&text) {
            Ok(value) => mask.json(value).to_string().into_bytes(),
            Err(_) => mask.bytes(&text).into_owned(),
        }
    }

    fn look(&self) -> Mask {
        Mask::new([self.search()])
    }

    pub(super) fn search(&self) -> Search {
        self.known.search()
    }
}

impl Secrets {
    fn learn(&mut self, secret: &ResourceName, value: &[u8]) -> bool {
        let values = self.0.entry(secret.clone()).or_default();
        if let Some(place) = values.iter().position(|known| known == value) {
            // What is in use stays longest.
            values[place..].rotate_left(1);
            return false;
        }
        if values.len() == VALUES_OF_A_SECRET_MAX {
            values.remove(0);
        }
        values.push(value.to_vec());
        true
    }
}

impl Values for Secrets {
    fn all(&self) -> Option<Vec<&[u8]>> {
        Some(self.0.values().flatten().map(Vec::as_slice).collect())
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}
