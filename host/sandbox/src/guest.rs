//! What the host holds for one guest while it runs.

use crate::http::Outgoing;
use crate::memory::Memory;
use crate::watch::Watch;
use sopwith_core::port::capabilities::Capabilities;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What the host holds for one guest; gone with it.
pub(crate) struct Guest {
    pub(crate) capabilities: Arc<dyn Capabilities>,
    pub(crate) table: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) watch: Arc<Watch>,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outgoing: Outgoing,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
