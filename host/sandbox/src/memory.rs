//! Bounds the memory of a guest: one total over all its memories and tables.

use crate::configuration::{MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};
use crate::ending::Stop;
use crate::shape::INSTANCES_MAX;
use async_trait::async_trait;
use sopwith_core::failure::Failure;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasmtime::ResourceLimiterAsync;

/// What a table takes for an element.
const ELEMENT_BYTES: usize = size_of::<usize>();

/// The memory that a guest has. Its own never shrinks, and a growth that the machine refused counts
/// all the same; what the host holds for it is given back.
pub(crate) struct Memory {
    bytes: u64,
    held: Arc<AtomicU64>,
    bytes_max: u64,
}

/// What the host holds on behalf of a guest; given back when it is dropped.
pub(crate) struct Held {
    bytes: u64,
    all: Arc<AtomicU64>,
}

impl Drop for Held {
    fn drop(&mut self) {
        give_back(&self.all, self.bytes);
    }
}

impl Memory {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes: 0,
            held: Arc::default(),
            bytes_max,
        }
    }

    /// The most that it had at once.
    pub(crate) fn peak(&self) -> u64 {
        self.bytes
    }

    /// Takes what the host holds on behalf of the guest until it is given back.
    pub(crate) fn hold(&mut self, more: usize) -> Result<(), Failure> {
        self.check(more)?;
        self.held.fetch_add(more as u64, Relaxed);
        Ok(())
    }

    pub(crate) fn give_back(&mut self, held: usize) {
        give_back(&self.held, held as u64);
    }

    /// The same for something that lives by itself.
    pub(crate) fn hold_until_dropped(&mut self, more: usize) -> Result<Held, Failure> {
        self.hold(more)?;
        Ok(Held {
            bytes: more as u64,
            all: Arc::clone(&self.held),
        })
    }

    fn grow(&mut self, more: usize) -> wasmtime::Result<bool> {
        self.check(more).map_err(Stop::error)?;
        self.bytes = self.bytes.saturating_add(more as u64);
        Ok(true)
    }

    fn check(&self, more: usize) -> Result<(), Failure> {
        let held = self.held.load(Relaxed);
        let wanted = self.bytes.saturating_add(held).saturating_add(more as u64);
        if wanted <= self.bytes_max {
            return Ok(());
        }
        let message = format!(
            "the plugin needs {wanted} bytes of memory, and may have {}",
            self.bytes_max
        );
        Err(Failure::limit("memory", message).hint("raise `memory` under [limits] if the work needs it"))
    }
}

fn give_back(held: &AtomicU64, bytes: u64) {
    // Nothing is given back that was not held, so this cannot wrap around.
    held.fetch_sub(bytes, Relaxed);
}

#[async_trait]
impl ResourceLimiterAsync for Memory {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(desired.saturating_sub(current))
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Where a pool bounds a table, it does so by this number.
        if desired > maximum.unwrap_or(usize::MAX).min(TABLE_ELEMENTS_MAX) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        self.grow(elements.saturating_mul(ELEMENT_BYTES))
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}
