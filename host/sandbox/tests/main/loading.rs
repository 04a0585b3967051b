//! Loading: what is no plugin is refused with the reason, and nothing is compiled twice.

use crate::clock::{TestClock, TestEntropy};
use crate::guests::{Written, fixture};
use crate::hostile::{LOOP, memory_at_once};
use crate::stage::{BOTH, POOLING, sandbox, settings};
use sopwith_core::digest::Digest;
use sopwith_core::port::PluginLoader as _;
use sopwith_sandbox::{Compilations, Sandbox, Settings};
use std::sync::Arc;

/// Both allocators refuse the bytes, with these words and this hint.
async fn check(bytes: impl Into<Arc<[u8]>>, message: &str, hint: &str) {
    let bytes = bytes.into();
    for allocation in BOTH {
        // What hangs is given up after three seconds, which here pass quickly.
        let sandbox = Sandbox::new(Settings {
            cache: None,
            allocation,
            clock: Arc::new(TestClock::with_speed(20)),
            entropy: Arc::new(TestEntropy),
        });
        let loaded = sandbox.expect("a sandbox").load(Arc::clone(&bytes)).await;
        let problem = loaded.err().expect("a problem");
        assert!(problem.message.contains(message), "{allocation:?}: {problem:?}");
        assert!(
            problem.hint.clone().unwrap_or_default().contains(hint),
            "{problem:?}"
        );
    }
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a component in text")
}

#[tokio::test]
async fn file_that_is_no_component_is_refused() {
    let hint = "build the plugin for `wasm32-wasip2`";
    check(*b"#!/bin/sh\n", "the file is not WebAssembly", hint).await;
    check(*b"", "the file is not WebAssembly", hint).await;
    check(
        component("(module)"),
        "the file is a core module",
        "wasm-tools component new",
    )
    .await;
}

#[tokio::test]
async fn damaged_file_is_refused() {
    let whole = fixture("noop");
    let (half, _) = whole.split_at(whole.len() / 2);
    check(half, "the file is damaged: ", "copy or build it again").await;
    let mut bent = whole.to_vec();
    let middle = bent.len() / 2;
    bent[middle..middle + 64].fill(0xff);
    check(bent, "the file is ", "build it again").await;
}

#[tokio::test]
async fn component_that_is_no_plugin_is_refused() {
    let message = "the component exports no `sopwith:plugin/procedure`";
    check(component("(component)"), message, "sopwith::plugin!").await;
    let later = r#"(component (instance $i) (export "sopwith:plugin/procedure@2.0.0" (instance $i)))"#;
    let message = "the plugin exports `sopwith:plugin/procedure@2.0.0`, which this host cannot call";
    check(
        component(later),
        message,
        "this host offers `sopwith:plugin@1.0.0`",
    )
    .await;
    let empty = r#"(component (instance $i) (export "sopwith:plugin/procedure@1.0.0" (instance $i)))"#;
    check(
        component(empty),
        "built against another contract",
        "this host offers",
    )
    .await;
}

#[tokio::test]
async fn import_that_is_not_offered_is_named() {
    let unknown = Written {
        packages: "package foo:bar@1.0.0 { interface baz { f: func(); } }",
        world: "import foo:bar/baz@1.0.0;",
        imports: r#"(import "foo:bar/baz@1.0.0" "f" (func))"#,
        ..Written::default()
    };
    let message = "the plugin imports `foo:bar/baz@1.0.0`, which this host does not offer";
    check(unknown.bytes(), message, "`files`, `flow`, `journal`").await;
    let later = Written {
        packages: "package wasi:random@0.2.99 { interface random { shuffle: func(); } }",
        world: "import wasi:random/random@0.2.99;",
        imports: r#"(import "wasi:random/random@0.2.99" "shuffle" (func))"#,
        ..Written::default()
    };
    check(later.bytes(), "`wasi:random/random@0.2.99`", "this host offers").await;
}

#[tokio::test]
async fn plugin_that_does_not_describe_itself_is_refused() {
    let message = "the plugin does not describe itself: ";
    let describe = |describe| {
        let written = Written {
            describe,
            ..Written::default()
        };
        written.bytes()
    };
    check(
        describe(LOOP),
        &format!("{message}the attempt has used up its time of 3s"),
        "",
    )
    .await;
    check(
        describe("unreachable"),
        &format!("{message}the plugin aborted"),
        "",
    )
    .await;
    let too_much = format!("{message}the plugin needs 2621");
    check(memory_at_once().bytes(), &too_much, "its author has to mend it").await;
    let silent = Written {
        manifest: r#"{"name":"x","version":"1"}"#,
        ..Written::default()
    };
    check(
        silent.bytes(),
        "manifest is not valid: missing field `summary`",
        "the SDK",
    )
    .await;
}

#[tokio::test]
async fn plugin_says_what_it_is() {
    let bytes = fixture("noop");
    let plugin = sandbox(POOLING).load(Arc::clone(&bytes)).await.expect("a plugin");
    assert_eq!(plugin.manifest().name.as_str(), "noop");
    assert_eq!(plugin.digest(), Digest::of(&bytes));
    assert_eq!(plugin.size(), bytes.len() as u64);
    let stdout = |import: &String| import.starts_with("wasi:cli/stdout@0.2");
    assert!(plugin.imports().iter().any(stdout), "{:?}", plugin.imports());
}

#[tokio::test]
async fn same_bytes_are_compiled_once() {
    let sandbox = sandbox(POOLING);
    let (first, second) = tokio::join!(sandbox.load(fixture("noop")), sandbox.load(fixture("noop")));
    let (first, second) = (first.expect("a plugin"), second.expect("a plugin"));
    assert!(std::ptr::addr_eq(Arc::as_ptr(&first), Arc::as_ptr(&second)));
    let once = Compilations {
        compiled: 1,
        cached: 0,
    };
    assert_eq!(sandbox.compilations(), once);
}

#[tokio::test]
async fn plugin_that_takes_very_long_to_compile_is_given_up_and_keeps_no_other_waiting() {
    // A minute of this clock is over before any plugin is compiled.
    let sandbox = Sandbox::new(Settings {
        clock: Arc::new(TestClock::with_speed(60_000)),
        ..settings(POOLING, None)
    });
    let sandbox = sandbox.expect("a sandbox");
    for bytes in ["noop", "exerciser", "fetch", "noop"].map(fixture) {
        let problem = sandbox.load(bytes).await.err().expect("a problem");
        let message = "the plugin takes longer than 60s to compile";
        assert_eq!(problem.message, message, "{problem:?}");
    }
}
