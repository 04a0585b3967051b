//! What the host holds for one guest while it runs.

use crate::answered::Answered;
use crate::http::Outgoing;
use crate::memory::Memory;
use crate::wasi::{OpenDirectory, Places, Turns};
use crate::watch::Watch;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Capabilities;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What the host holds for one guest; gone with it.
pub(crate) struct Guest {
    pub(crate) capabilities: Arc<dyn Capabilities>,
    pub(crate) answered: Arc<Answered>,
    pub(crate) table: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) watch: Arc<Watch>,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outgoing: Outgoing,
    /// The directories that were granted, by their names.
    pub(crate) directories: Vec<(String, Arc<OpenDirectory>)>,
    /// What it may have open of them.
    pub(crate) places: Places,
    /// How many of its streams may read at once.
    pub(crate) turns: Turns,
    /// Why it has to end, if a call of WASI was one too many.
    pub(crate) stop: Option<Failure>,
    /// The most handles that it held at once, as far as they were counted.
    pub(crate) handles_most: u64,
}

impl Guest {
    /// Counts the handles that it holds now.
    pub(crate) fn count_handles(&mut self) {
        self.handles_most = self.handles_most.max(self.table.iter_mut().count() as u64);
    }

    /// Counts a call of WASI. What is asked here cannot be refused here; the guest is ended by the
    /// next tick.
    fn count(&mut self) {
        if let Err(failure) = self.capabilities.count_call() {
            self.stop.get_or_insert(failure);
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.count();
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.count();
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
