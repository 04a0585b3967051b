//! The contract, bound: generated from `wit/` here and nowhere else on the host's side.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "plugin",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "sopwith:plugin/journal.step": crate::bind::handles::OpenStep,
        "sopwith:plugin/sql.session": crate::bind::handles::OpenSession,
        "sopwith:plugin/sql.cursor": crate::bind::handles::OpenCursor,
        "sopwith:plugin/flow.pipe": crate::bind::handles::OpenPipe,
        "sopwith:plugin/files.inventory": crate::bind::handles::OpenInventory,
        "sopwith:plugin/commands.process": crate::bind::handles::OpenProcess,
    },
});
