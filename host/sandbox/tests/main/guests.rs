//! Guests: built ones from the fixtures, and components made here of a few lines of text.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A built plugin of `plugins/fixtures`.
pub(crate) fn fixture(name: &str) -> Arc<[u8]> {
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

const MANIFEST: &str = r#"{"name":"hostile","version":"1.0.0","summary":"Does harm.","settings":{},
    "actions":[{"name":"go","summary":"Does harm.","inputs":{},"output":{}}]}"#;

/// A plugin of the contract with one action `go`. Where a part says nothing, it behaves.
pub(crate) struct Written {
    /// Further packages and the items of the world, in WIT.
    pub(crate) packages: &'static str,
    pub(crate) world: &'static str,
    /// Further fields of the module: imports first.
    pub(crate) imports: &'static str,
    pub(crate) fields: &'static str,
    /// What is done before the manifest is returned, and before the report.
    pub(crate) describe: &'static str,
    pub(crate) run: &'static str,
    pub(crate) manifest: &'static str,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            packages: "",
            world: "",
            imports: "",
            fields: "",
            describe: "",
            run: "",
            manifest: MANIFEST,
        }
    }
}

impl Written {
    /// The component.
    pub(crate) fn bytes(&self) -> Arc<[u8]> {
        let mut resolve = Resolve::default();
        resolve
            .push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
            .expect("the contract");
        let world = format!(
            "package test:guest; {} world guest {{ include sopwith:plugin/plugin@1.0.0; {} }}",
            self.packages, self.world
        );
        let package = resolve.push_str("guest.wit", &world).expect("a world");
        let world = resolve
            .select_world(&[package], Some("guest"))
            .expect("the world");
        let mut module = wat::parse_str(self.module()).expect("a module");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
        let encoder = ComponentEncoder::default()
            .module(&module)
            .expect("a module that fits");
        encoder.validate(true).encode().expect("a component").into()
    }

    fn module(&self) -> String {
        let Self {
            imports,
            fields,
            describe,
            run,
            ..
        } = self;
        // What is handed over lies behind the manifest.
        let heap = (2_048 + self.manifest.len()).next_multiple_of(32 << 10);
        let pages = heap / (64 << 10) + 1;
        let manifest = hexadecimal(self.manifest.as_bytes());
        let described = words(&[1024, self.manifest.len()]);
        // A `result` that is `ok`, of the report: three texts and an empty list.
        let reported = words(&[0, 512, 2, 514, 4, 518, 4, 0, 0]);
        format!(
            r#"(module {imports}
                (memory (export "memory") {pages}) {fields}
                (global $next (mut i32) (i32.const {heap}))
                (data (i32.const 16) "{described}")
                (data (i32.const 32) "{reported}")
                (data (i32.const 512) "okdonenull")
                (data (i32.const 1024) "{manifest}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    global.get $next
                    (global.set $next (i32.and (i32.const -8)
                        (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)))))
                (func (export "sopwith:plugin/procedure@1.0.0#describe") (result i32)
                    {describe} (i32.const 16))
                (func (export "sopwith:plugin/procedure@1.0.0#run")
                    (param i32 i32 i32 i32 i32 i32) (result i32) {run} (i32.const 32)))"#
        )
    }
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
