//! Tests of the vault, with what they share.

use sopwith_core::port::Entropy;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Randomness that is none.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn random(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Relaxed))
    }
}
