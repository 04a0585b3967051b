//! The second start of a host compiles nothing.

use crate::built;
use sopwith_bench::{Figure, Machine, Quantity, Target};
use sopwith_core::port::{Clock as _, PluginLoader as _};
use sopwith_sandbox::{Allocation, CacheSettings, Compilations, Sandbox, Settings, Unfit};
use sopwith_store::SqliteStore;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const PLUGINS: [&str; 4] = ["backup", "integrity", "smoke", "noop"];

pub(crate) async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, cold) = start(folder.path()).await;
    let (second, warm) = start(folder.path()).await;
    let compiled = Figure {
        name: "plugins compiled at the second start",
        measured: Quantity::Count(second.compiled),
        baseline: ("at the first start", Quantity::Count(first.compiled)),
        target: Target::AtMost(Quantity::Count(0)),
    };
    compiled.tell();
    let time = Figure {
        name: "loading four plugins at the second start",
        measured: Quantity::Time(warm),
        baseline: ("at the first start", Quantity::Time(cold)),
        target: Target::None,
    };
    time.tell();
}

/// Loads all plugins as a host does that has just started.
async fn start(data_directory: &Path) -> (Compilations, Duration) {
    let machine = Arc::new(Machine::default());
    let record = SqliteStore::open(&data_directory.join("history.db")).expect("a record");
    let cache = CacheSettings {
        directory: data_directory.join("cache"),
        artefacts: Arc::new(record),
        unfit: Unfit::Rebuild,
    };
    let settings = Settings {
        cache: Some(cache),
        allocation: Allocation::OnDemand,
        clock: machine.clone(),
        entropy: machine.clone(),
    };
    let sandbox = Sandbox::new(settings).expect("a sandbox");
    let plugins = PLUGINS.map(built);
    let began = machine.monotonic();
    for bytes in plugins {
        sandbox.load(bytes).await.expect("a plugin");
    }
    (sandbox.compilations(), machine.monotonic().saturating_sub(began))
}
