//! What a run costs inside the sandbox: `just bench warm-run`, `just bench second-start`.

mod plain;
mod second_start;
mod warm_run;

/// The capabilities of a plugin that describes itself: a run that needs none costs what the sandbox costs.
#[path = "../../src/no_capabilities.rs"]
mod no_capabilities;

use std::path::Path;
use std::sync::Arc;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if sopwith_bench::wanted("warm-run") {
        runtime.block_on(warm_run::measure());
    }
    if sopwith_bench::wanted("second-start") {
        runtime.block_on(second_start::measure());
    }
}

/// A plugin that `just plugins` has built.
fn built(name: &str) -> Arc<[u8]> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../plugins/target/wasm32-wasip2/release"
    );
    let file = Path::new(folder).join(format!("{name}.wasm"));
    match std::fs::read(&file) {
        Ok(bytes) => bytes.into(),
        Err(error) => panic!("run `just plugins` first: `{}`: {error}", file.display()),
    }
}
