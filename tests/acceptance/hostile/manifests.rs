//! Plugins that lie about themselves, and files that are none: refused at once, with one message.

use super::bombs::LOOP;
use super::guests::Written;
use crate::place::Place;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What a check may take: a plugin has three seconds to describe itself.
const TIME_MAX: Duration = Duration::from_secs(8);

fn manifest(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut manifest = json!({
        "name": "liar", "version": "1.0.0", "summary": "Lies.",
        "settings": { "type": "object" },
        "actions": [{
            "name": "go", "summary": "Lies.", "inputs": { "type": "object" }, "output": {},
            "capabilities": [{ "kind": "databases", "access": "read", "from": "$.database", "reason": "to lie" }],
        }],
    });
    change(&mut manifest);
    manifest.to_string().leak()
}

fn written(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let written = Written {
        manifest: manifest(change),
        ..Written::default()
    };
    written.bytes().to_vec()
}

/// `check` refuses the plugin in time, in these words and where it is named.
fn check(name: &str, bytes: &[u8], settings: &str, expected: &str) {
    let place = Place::new();
    place.write("config/plugins/liar.wasm", bytes);
    place.write(
        "config/procedures/lies.toml",
        format!("summary = \"Lies\"\nplugin = \"liar\"\n\n[settings]\n{settings}\n"),
    );
    let began = now();
    let ended = place.sopwith(&["check"]);
    let took = now() - began;
    assert!(took < TIME_MAX, "`{name}` took {took:?}");
    assert_eq!(ended.code, Some(3), "{name}: {ended:?}");
    assert!(ended.stderr.contains(expected), "{name}: {}", ended.stderr);
    assert!(ended.stderr.contains("liar"), "{name}: {}", ended.stderr);
    assert!(
        ended.stderr.len() < 10_000,
        "{name}: {} bytes",
        ended.stderr.len()
    );
    let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!ended.stderr.contains(harmful), "{name}: {:?}", ended.stderr);
}

#[test]
fn loop_in_describe() {
    let written = Written {
        describe: LOOP,
        ..Written::default()
    };
    check(
        "loop",
        &written.bytes(),
        "",
        "the plugin does not describe itself",
    );
}

#[test]
fn file_that_is_truncated_corrupt_or_no_component() {
    let whole = written(|_| {});
    check("truncated", &whole[..whole.len() / 2], "", "the file is damaged");
    let mut corrupt = whole.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 32].fill(0xff);
    check("corrupt", &corrupt, "", "the file is ");
    check(
        "a script",
        b"#!/bin/sh\nexit 0\n",
        "",
        "the file is not WebAssembly",
    );
    check("empty", b"", "", "the file is not WebAssembly");
    check("a module", b"\0asm\x01\0\0\0", "", "the file is a core module");
}

#[test]
fn manifest_of_mebibytes() {
    check(
        "long",
        &written(|it| it["summary"] = "x".repeat(3 << 20).into()),
        "",
        "and may have 1048576",
    );
    let tables = vec![json!({ "": 0 }); 100_000];
    check(
        "dense",
        &written(|it| it["settings"]["examples"] = tables.into()),
        "",
        "bytes of memory",
    );
    let deep = "[".repeat(100_000).leak();
    let deep = Written {
        manifest: deep,
        ..Written::default()
    };
    check("deep", &deep.bytes(), "", "manifest is not valid");
}

#[test]
fn manifest_with_a_schema_that_explodes() {
    let mut definitions: serde_json::Map<String, Value> = (0..40)
        .map(|level| {
            let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
            (format!("d{level}"), json!({ "allOf": [next, next] }))
        })
        .collect();
    definitions.insert("d40".to_owned(), json!({}));
    let fan = written(|it| it["settings"] = json!({ "$defs": definitions, "$ref": "#/$defs/d0" }));
    check("a fan", &fan, "a = 1", "has more than 100000 parts");
    let twice = json!({ "$ref": "#/$defs/N", "$defs": { "N": { "properties": { "n": {
        "allOf": [{ "$ref": "#/$defs/N" }, { "$ref": "#/$defs/N" }],
    } } } } });
    let nested = "n = ".to_owned() + &"{ n = ".repeat(40) + "1" + &" }".repeat(40);
    check(
        "a tree",
        &written(|it| it["settings"] = twice),
        &nested,
        "more than 1000000 steps",
    );
    let made = json!({ "$ref": "#/$defs/N", "$defs": { "N": { "properties": {
        "a": { "$ref": "#/$defs/N", "default": {} }, "b": { "$ref": "#/$defs/N", "default": {} },
    } } } });
    check(
        "defaults",
        &written(|it| it["settings"] = made),
        "",
        "refers to itself without end",
    );
    let pattern = json!({ "properties": { "a": { "pattern": "(\\pL{100}){100}" } } });
    check(
        "a pattern",
        &written(|it| it["settings"] = pattern),
        "a = \"x\"",
        "no valid JSON Schema",
    );
}

#[test]
fn manifest_with_a_path_that_explodes() {
    let path =
        |path: &'static str| written(move |it| it["actions"][0]["capabilities"][0]["from"] = path.into());
    let settings = "a = [[[[[[[[1]]]]]]]]";
    check(
        "depths",
        &path("$..*..*..*..*..*..*"),
        settings,
        "does not follow",
    );
    check(
        "selectors",
        &path("$[*,*,*,*][*,*,*,*][*,*,*,*]"),
        settings,
        "does not follow",
    );
    check(
        "filters",
        &path("$[?@[?@[?@[?@..*]]]]"),
        settings,
        "does not follow",
    );
}

#[test]
fn manifest_with_names_that_play_tricks() {
    let trick = "\u{1b}[2J\nerror: all is well\u{202e}";
    check(
        "name",
        &written(|it| it["name"] = trick.into()),
        "",
        "is not a name",
    );
    check(
        "version",
        &written(|it| it["version"] = trick.into()),
        "",
        "U+001B",
    );
    check(
        "summary",
        &written(|it| it["summary"] = "\u{202e}".into()),
        "",
        "U+202E",
    );
    check(
        "kind",
        &written(|it| it["actions"][0]["capabilities"][0]["kind"] = trick.into()),
        "",
        "unknown variant",
    );
}

#[expect(clippy::disallowed_methods, reason = "a check that hangs has to be found out")]
fn now() -> Instant {
    Instant::now()
}
