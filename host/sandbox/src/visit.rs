//! One visit to a guest: a new store with all its limits, and what the visit came to.

use crate::answered::Answered;
use crate::ending::{Stop, failure};
use crate::guest::Guest;
use crate::http::Outgoing;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::printed::Printed;
use crate::ticker::Ticking;
use crate::wasi::{self, Places, Turns};
use crate::watch::Watch;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::{Limits, Usage};
use sopwith_core::port::Bounds;
use sopwith_core::port::capabilities::Capabilities;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiterAsync, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpCtx;

/// What any guest may hand to the host in one call, and what every guest may.
const CALL_BYTES_MAX: u64 = 16 << 20;
const CALL_BYTES_MIN: u64 = 1 << 20;
/// What the headers of one message of HTTP may take in memory. A guest may hold as many of them as
/// it may have handles.
pub(crate) const HEADER_BYTES_MAX: usize = 16 << 10;

/// A guest, alive.
pub(crate) struct Visit {
    pub(crate) store: Store<Guest>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) answered: Arc<Answered>,
    output: Printed,
    error_output: Printed,
    call_bytes_max: usize,
    _ticking: Ticking,
}

impl Visit {
    /// Makes a new store for a guest.
    pub(crate) fn begin(
        machine: &Machine,
        capabilities: Arc<dyn Capabilities>,
        Bounds { limits, cancel }: Bounds,
    ) -> Result<Self, Failure> {
        let watch = Arc::new(Watch::begin(Arc::clone(&machine.clock), &limits, cancel));
        let output = Printed::new("stdout", Arc::clone(&capabilities));
        let error_output = Printed::new("stderr", Arc::clone(&capabilities));
        let answered = Arc::<Answered>::default();
        let mut guest = Guest {
            answered: Arc::clone(&answered),
            table: ResourceTable::new(),
            memory: Memory::new(limits.memory_bytes),
            watch: Arc::clone(&watch),
            wasi: wasi::surroundings(machine, output.clone(), error_output.clone()),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(Arc::clone(&capabilities)),
            directories: wasi::directories(capabilities.preopens())?,
            places: Places::default(),
            turns: Turns::default(),
            stop: None,
            handles_most: 0,
            capabilities,
        };
        guest.table.set_max_capacity(limits.handles as usize);
        guest.http.set_field_size_limit(HEADER_BYTES_MAX);
        Ok(Self {
            store: store(machine, guest, &limits),
            watch,
            answered,
            output,
            error_output,
            call_bytes_max: call_bytes_max(&limits),
            _ticking: machine.ticker.tick(),
        })
    }

    /// Drops the guest, and says what the visit came to.
    pub(crate) async fn end<T>(self, ended: wasmtime::Result<T>) -> (Result<T, Failure>, Usage) {
        let mut guest = self.store.into_data();
        guest.count_handles();
        self.output.end().await;
        self.error_output.end().await;
        let result = ended.map_err(|error| {
            let last_words = self.error_output.last_words();
            let mask = |text: &str| guest.capabilities.journal().masked(text);
            failure(&error, &last_words, self.call_bytes_max, &mask)
        });
        let result = result.map_err(|failure| asked_to_end(failure, &self.watch));
        let usage = Usage {
            wall: self.watch.wall(),
            cpu: self.watch.processor_time(),
            memory_bytes: guest.memory.peak(),
            handles: guest.handles_most,
            ..guest.capabilities.used()
        };
        (result, usage)
    }
}

/// What the guest may hand to the host in one call. The host has it twice for a moment, besides what
/// the guest has itself.
fn call_bytes_max(limits: &Limits) -> usize {
    let bytes = (limits.memory_bytes / 10).clamp(CALL_BYTES_MIN, CALL_BYTES_MAX);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn store(machine: &Machine, guest: Guest, limits: &Limits) -> Store<Guest> {
    let mut store = Store::new(&machine.engine, guest);
    store.limiter_async(|guest| &mut guest.memory as &mut dyn ResourceLimiterAsync);
    store.set_hostcall_fuel(call_bytes_max(limits));
    store.set_max_component_handles(limits.handles as usize);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut guest: StoreContextMut<'_, Guest>| {
        let guest = guest.data_mut();
        guest.count_handles();
        if let Some(failure) = &guest.stop {
            return Err(Stop::error(failure.clone()));
        }
        guest.watch.check()?;
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store
}

/// Whatever a guest makes of being asked to end, it was asked to end.
pub(crate) fn asked_to_end(failure: Failure, watch: &Watch) -> Failure {
    if !watch.is_cancelled() {
        return failure;
    }
    Failure {
        kind: FailureKind::Cancelled,
        blame: Blame::Operator,
        retryable: false,
        ..failure
    }
}
