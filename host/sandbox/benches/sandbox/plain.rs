//! The baseline: the same run by wasmtime alone, without limits, deadlines and capabilities.

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, ResourceTable,
};
use wasmtime::{Config, Engine, OptLevel, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A component that is linked and ready.
pub(crate) struct Plain {
    engine: Engine,
    ready: InstancePre<Host>,
    run: ComponentExportIndex,
}

struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

type Pairs = Vec<(String, String)>;

#[derive(ComponentType, Lift)]
#[component(record)]
#[expect(dead_code, reason = "lifted for what that costs")]
struct Report {
    verdict: String,
    summary: String,
    output: String,
    extra: Pairs,
}

#[derive(ComponentType, Lift)]
#[component(record)]
#[expect(dead_code, reason = "lifted for what that costs")]
struct Error {
    kind: String,
    message: String,
    hint: Option<String>,
    retryable: bool,
    extra: Pairs,
}

impl Plain {
    pub(crate) fn load(bytes: &[u8]) -> Self {
        let engine = Engine::new(&configuration()).expect("an engine");
        let component = Component::from_binary(&engine, bytes).expect("a component");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI");
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("the contract");
        let procedure = component.get_export_index(None, "sopwith:plugin/procedure@1.0.0");
        let run = component.get_export_index(procedure.as_ref(), "run");
        Self {
            ready: linker.instantiate_pre(&component).expect("a component that fits"),
            run: run.expect("a plugin"),
            engine,
        }
    }

    /// New store, instance, call, drop.
    pub(crate) async fn run(&self) {
        let host = Host {
            wasi: WasiCtx::builder().build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, host);
        let instance = self
            .ready
            .instantiate_async(&mut store)
            .await
            .expect("an instance");
        let run = instance
            .get_typed_func::<(&str, &str, &str), (Result<Report, Error>,)>(&mut store, self.run)
            .expect("the function of the contract");
        let (result,) = run
            .call_async(&mut store, ("nothing", "{}", "{}"))
            .await
            .expect("a call");
        assert!(result.is_ok());
    }
}

/// As the sandbox has it, but for what interrupts and bounds a guest.
fn configuration() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.async_stack_keep_resident(32 << 10)
        .linear_memory_keep_resident(128 << 10);
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .async_stack_size(2 << 20)
        .async_stack_zeroing(true)
        .wasm_component_model(true)
        .allocation_strategy(pool);
    config
}
