//! Turns bytes into a component that is linked and ready, or says why they are none.

use crate::bindings::PluginPre;
use crate::ending::causes;
use crate::guest::Guest;
use crate::machine::Machine;
use crate::{contract, shape};
use sopwith_core::port::PluginProblem;
use std::sync::atomic::Ordering::Relaxed;
use wasmparser::Parser;
use wasmtime::component::Component;

/// A component that is linked and ready.
pub(crate) struct Compiled {
    pub(crate) ready: PluginPre<Guest>,
    pub(crate) imports: Vec<String>,
}

/// Checks, compiles and links. This takes seconds where the cache has nothing.
pub(crate) fn compile(machine: &Machine, bytes: &[u8]) -> Result<Compiled, PluginProblem> {
    check_kind(bytes)?;
    shape::check(bytes)?;
    let component =
        Component::from_binary(&machine.engine, bytes).map_err(|error| invalid(&causes(&error)))?;
    machine.components.fetch_add(1, Relaxed);
    let kind = component.component_type();
    let imports: Vec<_> = kind
        .imports(&machine.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    contract::check_exports(kind.exports(&machine.engine).map(|(name, _)| name))?;
    contract::check_imports(imports.iter().map(String::as_str))?;
    let ready = machine
        .linker
        .instantiate_pre(&component)
        .and_then(PluginPre::new)
        .map_err(|error| contract::misfit(&causes(&error)))?;
    Ok(Compiled { ready, imports })
}

fn check_kind(bytes: &[u8]) -> Result<(), PluginProblem> {
    let (message, hint) = if Parser::is_component(bytes) {
        return Ok(());
    } else if Parser::is_core_wasm(bytes) {
        (
            "the file is a core module, and a plugin is a component",
            "build it for `wasm32-wasip2`, or make it a component with `wasm-tools component new`",
        )
    } else {
        (
            "the file is not WebAssembly",
            "build the plugin for `wasm32-wasip2`",
        )
    };
    Err(PluginProblem {
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    })
}

fn invalid(why: &str) -> PluginProblem {
    PluginProblem {
        message: format!("the file is no component that this host can run: {why}"),
        hint: Some("copy or build it again; it may use what this host leaves out".to_owned()),
    }
}
