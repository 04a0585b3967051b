//! Plugins that are written here, so that they can ask for whatever a test wants.

use serde_json::{Value, json};
use std::fmt::Write as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The manifest of a plugin with one action `go` that needs these capabilities.
pub(crate) fn manifest(version: &str, capabilities: &Value) -> Value {
    json!({
        "name": "written",
        "version": version,
        "summary": "Does nothing.",
        "settings": { "type": "object" },
        "actions": [{
            "name": "go",
            "summary": "Does nothing.",
            "inputs": { "type": "object" },
            "output": {},
            "capabilities": capabilities,
        }],
    })
}

/// A component that describes itself so, and whose every run is `ok`.
pub(crate) fn plugin(manifest: &Value) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
        .expect("the contract");
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .expect("the world");
    let mut module = wat::parse_str(module(&manifest.to_string())).expect("a module");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoder = ComponentEncoder::default()
        .module(&module)
        .expect("a module that fits");
    encoder.validate(true).encode().expect("a component")
}

fn module(manifest: &str) -> String {
    let described = words(&[1024, manifest.len()]);
    // A `result` that is `ok`, of the report: three texts and an empty list.
    let reported = words(&[0, 512, 2, 514, 4, 518, 4, 0, 0]);
    let manifest = hexadecimal(manifest.as_bytes());
    format!(
        r#"(module
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 32768))
            (data (i32.const 16) "{described}")
            (data (i32.const 32) "{reported}")
            (data (i32.const 512) "okdonenull")
            (data (i32.const 1024) "{manifest}")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                global.get $next
                (global.set $next (i32.and (i32.const -8)
                    (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)))))
            (func (export "sopwith:plugin/procedure@1.0.0#describe") (result i32) (i32.const 16))
            (func (export "sopwith:plugin/procedure@1.0.0#run")
                (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 32)))"#
    )
}

fn words(words: &[usize]) -> String {
    let words = words
        .iter()
        .map(|word| u32::try_from(*word).expect("a small number"));
    hexadecimal(&words.flat_map(u32::to_le_bytes).collect::<Vec<_>>())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}
