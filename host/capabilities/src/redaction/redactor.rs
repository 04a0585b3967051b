//! The values of the operator's secrets, which are masked everywhere in this process.

use super::mask::{Mask, Names};
use super::search::Search;
use serde_json::Value;
use sopwith_core::name::ResourceName;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};

/// Values of one secret that are masked; of more, the newest. A command may hand out another token
/// each time, and a service goes on for years.
const VALUES_OF_A_SECRET_MAX: usize = 32;
/// The same for the bytes of these values: in all forms they are thirty times as many.
const BYTES_OF_A_SECRET_MAX: usize = 256 << 10;
/// These are never forgotten: the value in use and the one before.
const VALUES_OF_A_SECRET_MIN: usize = 2;

/// Knows the values of secrets, and masks them. One for a process.
#[derive(Default)]
pub struct Redactor {
    /// Whoever adds one holds them until it is looked for; whoever masks a text does not wait for that.
    secrets: Mutex<Secrets>,
    search: RwLock<Search>,
}

/// The values of each secret, the newest last.
#[derive(Default)]
struct Secrets(BTreeMap<ResourceName, Vec<Vec<u8>>>);

impl Redactor {
    /// A shorter value stands in so many texts that masking it would make all of them unreadable;
    /// it is not masked.
    pub const VALUE_BYTES_MIN: usize = 4;

    /// Masks this value of a secret from now on, as it is and in common encodings. A long one takes
    /// its time.
    pub fn learn(&self, secret: &ResourceName, value: &[u8]) {
        if value.len() < Self::VALUE_BYTES_MIN {
            return;
        }
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if secrets.learn(secret, value) {
            let search = Search::of(secrets.0.values().flatten());
            *self.search.write().unwrap_or_else(PoisonError::into_inner) = search;
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

    /// The JSON with `[redacted]` in the place of each value in its strings; its names stay.
    pub fn mask_value(&self, value: Value) -> Value {
        self.look().json(value, Names::Kept)
    }

    /// JSON text with `[redacted]` in the place of each value in its strings; its names stay.
    pub fn mask_json(&self, text: Vec<u8>) -> Vec<u8> {
        let mask = self.look();
        if matches!(mask.bytes(&text), Cow::Borrowed(_)) {
            return text;
        }
        // A mask in the middle of an escape would leave no JSON.
        match serde_json::from_slice(&text) {
            Ok(value) => mask.json(value, Names::Kept).to_string().into_bytes(),
            Err(_) => mask.bytes(&text).into_owned(),
        }
    }

    fn look(&self) -> Mask {
        Mask::new([self.search()])
    }

    pub(super) fn search(&self) -> Search {
        self.search.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        values.push(value.to_vec());
        let mut bytes: usize = values.iter().map(Vec::len).sum();
        let is_too_much = |count, bytes| count > VALUES_OF_A_SECRET_MAX || bytes > BYTES_OF_A_SECRET_MAX;
        while values.len() > VALUES_OF_A_SECRET_MIN && is_too_much(values.len(), bytes) {
            bytes -= values.remove(0).len();
        }
        true
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}
