//! Makes the engine's configuration: the one place, so that compiled plugins interchange.

use crate::settings::Allocation;
use crate::shape::RECORD_BYTES_MAX;
use wasmtime::{
    Cache, Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

/// The machine stack of a guest; deep recursion ends in a trap before it.
pub(crate) const STACK_BYTES_MAX: usize = 512 << 10;
/// The stack that a guest shares with the host calls it makes.
const ASYNC_STACK_BYTES: usize = 2 << 20;
/// Linear memories of one plugin, all its modules together.
pub(crate) const MEMORIES_MAX: u32 = 8;
/// Tables of one plugin, all its modules together.
pub(crate) const TABLES_MAX: u32 = 8;
/// Elements of one table; those of an interpreter in WebAssembly have some 20,000.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Plugins that are compiled and asked for their manifest at once.
pub(crate) const LOADS_AT_ONCE_MAX: u32 = 2;
/// What stays mapped of a stack and of a memory that a run gave back: a small run then costs no
/// page fault, and an idle host stays small.
const KEPT_STACK_BYTES: usize = 32 << 10;
const KEPT_MEMORY_BYTES: usize = 128 << 10;

/// The configuration of every engine.
pub(crate) fn configuration(allocation: Allocation, cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .async_stack_size(ASYNC_STACK_BYTES)
        .async_stack_zeroing(true)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .shared_memory(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .cache(cache)
        .allocation_strategy(strategy(allocation));
    config
}

fn strategy(allocation: Allocation) -> InstanceAllocationStrategy {
    match allocation {
        Allocation::OnDemand => InstanceAllocationStrategy::OnDemand,
        Allocation::Pooling { runs_at_once_max } => pool(runs_at_once_max).into(),
    }
}

/// A pool in which what a plugin may have is never short: `shape` and `memory` refuse before it
/// does, as they do where it is not there. What `shape` estimates is doubled to be on the safe side.
fn pool(runs_at_once_max: u32) -> PoolingAllocationConfig {
    let stores = runs_at_once_max.saturating_add(LOADS_AT_ONCE_MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_stacks(stores)
        .total_component_instances(stores)
        .total_core_instances(u32::MAX)
        .total_memories(stores.saturating_mul(MEMORIES_MAX))
        .total_tables(stores.saturating_mul(TABLES_MAX))
        .max_memories_per_module(MEMORIES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(2 * RECORD_BYTES_MAX)
        .max_component_instance_size(2 * RECORD_BYTES_MAX)
        .async_stack_keep_resident(KEPT_STACK_BYTES)
        .linear_memory_keep_resident(KEPT_MEMORY_BYTES);
    pool
}
