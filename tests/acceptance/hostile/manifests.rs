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

/// A file that is no plugin, or that says what is not so.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// What stands under `[settings]`.
    pub(crate) settings: String,
    /// A part of the message.
    pub(crate) expected: &'static str,
}

fn lie(name: &'static str, bytes: Vec<u8>, settings: &str, expected: &'static str) -> Lie {
    Lie {
        name,
        bytes,
        settings: settings.to_owned(),
        expected,
    }
}

/// The file of a procedure of the plugin `liar`.
pub(crate) fn procedure(summary: &str, settings: &str) -> String {
    format!("summary = \"{summary}\"\nplugin = \"liar\"\n\n[settings]\n{settings}\n")
}

/// A plugin of this name that tells the truth.
pub(crate) fn honest() -> Vec<u8> {
    written(|it| it["actions"][0]["capabilities"] = json!([]))
}

/// All lies.
pub(crate) fn all() -> impl Iterator<Item = Lie> {
    [endless(), no_components(), long(), schemas(), paths(), names()]
        .into_iter()
        .flatten()
}

/// `check` refuses the plugin in time, in these words and where it is named.
fn check(lie: &Lie) {
    let Lie {
        name,
        bytes,
        settings,
        expected,
    } = lie;
    let place = Place::new();
    place.write("config/plugins/liar.wasm", bytes);
    place.write("config/procedures/lies.toml", procedure("Lies", settings));
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
    endless().iter().for_each(check);
}

#[test]
fn file_that_is_truncated_corrupt_or_no_component() {
    no_components().iter().for_each(check);
}

#[test]
fn manifest_of_mebibytes() {
    long().iter().for_each(check);
}

#[test]
fn manifest_with_a_schema_that_explodes() {
    schemas().iter().for_each(check);
}

#[test]
fn manifest_with_a_path_that_explodes() {
    paths().iter().for_each(check);
}

#[test]
fn manifest_with_names_that_play_tricks() {
    names().iter().for_each(check);
}

fn endless() -> Vec<Lie> {
    let written = Written {
        describe: LOOP,
        ..Written::default()
    };
    let bytes = written.bytes().to_vec();
    vec![lie("loop", bytes, "", "the plugin does not describe itself")]
}

fn no_components() -> Vec<Lie> {
    let whole = written(|_| {});
    let truncated = whole[..whole.len() / 2].to_vec();
    let mut corrupt = whole;
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 32].fill(0xff);
    let script = b"#!/bin/sh\nexit 0\n".to_vec();
    let module = b"\0asm\x01\0\0\0".to_vec();
    vec![
        lie("truncated", truncated, "", "the file is damaged"),
        lie("corrupt", corrupt, "", "the file is "),
        lie("a script", script, "", "the file is not WebAssembly"),
        lie("empty", Vec::new(), "", "the file is not WebAssembly"),
        lie("a module", module, "", "the file is a core module"),
    ]
}

fn long() -> Vec<Lie> {
    let long = written(|it| it["summary"] = "x".repeat(3 << 20).into());
    let tables = vec![json!({ "": 0 }); 100_000];
    let dense = written(|it| it["settings"]["examples"] = tables.into());
    let deep = Written {
        manifest: "[".repeat(100_000).leak(),
        ..Written::default()
    };
    vec![
        lie("long", long, "", "and may have 1048576"),
        lie("dense", dense, "", "bytes of memory"),
        lie("deep", deep.bytes().to_vec(), "", "manifest is not valid"),
    ]
}

fn schemas() -> Vec<Lie> {
    let mut definitions: serde_json::Map<String, Value> = (0..40)
        .map(|level| {
            let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
            (format!("d{level}"), json!({ "allOf": [next, next] }))
        })
        .collect();
    definitions.insert("d40".to_owned(), json!({}));
    let twice = json!({ "$ref": "#/$defs/N", "$defs": { "N": { "properties": { "n": {
        "allOf": [{ "$ref": "#/$defs/N" }, { "$ref": "#/$defs/N" }],
    } } } } });
    let nested = "n = ".to_owned() + &"{ n = ".repeat(40) + "1" + &" }".repeat(40);
    let made = json!({ "$ref": "#/$defs/N", "$defs": { "N": { "properties": {
        "a": { "$ref": "#/$defs/N", "default": {} }, "b": { "$ref": "#/$defs/N", "default": {} },
    } } } });
    let pattern = json!({ "properties": { "a": { "pattern": "(\\pL{100}){100}" } } });
    let fan = json!({ "$defs": definitions, "$ref": "#/$defs/d0" });
    let with = |schema: Value| written(|it| it["settings"] = schema);
    vec![
        lie("a fan", with(fan), "a = 1", "has more than 100000 parts"),
        lie("a tree", with(twice), &nested, "more than 1000000 steps"),
        lie("defaults", with(made), "", "refers to itself without end"),
        lie("a pattern", with(pattern), "a = \"x\"", "no valid JSON Schema"),
    ]
}

fn paths() -> Vec<Lie> {
    let path = |name, path: &str| {
        let bytes = written(|it| it["actions"][0]["capabilities"][0]["from"] = path.into());
        lie(name, bytes, "a = [[[[[[[[1]]]]]]]]", "does not follow")
    };
    vec![
        path("depths", "$..*..*..*..*..*..*"),
        path("selectors", "$[*,*,*,*][*,*,*,*][*,*,*,*]"),
        path("filters", "$[?@[?@[?@[?@..*]]]]"),
    ]
}

fn names() -> Vec<Lie> {
    let trick = "\u{1b}[2J\nerror: all is well\u{202e}";
    let kind = written(|it| it["actions"][0]["capabilities"][0]["kind"] = trick.into());
    vec![
        lie(
            "name",
            written(|it| it["name"] = trick.into()),
            "",
            "is not a name",
        ),
        lie(
            "version",
            written(|it| it["version"] = trick.into()),
            "",
            "U+001B",
        ),
        lie(
            "summary",
            written(|it| it["summary"] = "\u{202e}".into()),
            "",
            "U+202E",
        ),
        lie("kind", kind, "", "unknown variant"),
    ]
}

#[expect(clippy::disallowed_methods, reason = "a check that hangs has to be found out")]
fn now() -> Instant {
    Instant::now()
}
