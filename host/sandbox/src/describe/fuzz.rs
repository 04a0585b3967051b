//! Manifests of every kind: each is refused with a reason, or read and asked in bounded time.

use super::{MANIFEST_BYTES_MAX, read};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use sopwith_core::manifest::Manifest;
use sopwith_fuzz::{Edits, Parts, Target, edited, edits};

/// What a request may find; settings are the operator's, and their number is not the plugin's to choose.
const WANTED_MAX: usize = 100_000;

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", "0", "-1", "1e400", "\"\"", "\"a b\"",
    "\"..\"", "\"\\u0000\"", "\"\\ud800\"", "\"\u{1b}[2J\"", "\"ä\"", "\"name\"", "\"version\"",
    "\"summary\"", "\"settings\"", "\"actions\"", "\"inputs\"", "\"output\"", "\"changes\"", "\"idempotent\"",
    "\"capabilities\"", "\"kind\"", "\"access\"", "\"from\"", "\"required\"", "\"reason\"", "\"databases\"",
    "\"directories\"", "\"network\"", "\"commands\"", "\"secrets\"", "\"read\"", "\"write\"", "\"replace\"",
    "\"run\"", "\"use\"", "\"insert\"", "\"reveal\"", "\"GET\"", "\"GET \\r\\n\"", "\"$\"", "\"$.a\"",
    "\"$..*\"", "\"$[*]\"", "\"$..*..*\"", "\"$[?@.a]\"",
];

/// Parts of a JSONPath, which may find very much in little.
#[rustfmt::skip]
const PATHS: &[&str] = &[
    ".a", "..a", "[*]", ".*", "..*", "..[*]", "[0]", "[-1]", "[::2]", "[::-1]", "[::0]", "[0,0,0]",
    "['a','a']", "[*,*]", "..[*,*]", "[?@.a]", "[?@..a]", "[?$..a]", "[?@.a == 'x']", "[?length(@..*) > 0]",
    "[?count($..*) > 1]", "[?match(@.a, '(a+)+b')]", "[?search(@.a, 'a{1,1000}{1,1000}')]",
    "[?value(@..a) == value($..a)]", "[?$..*[?$..*[?$..*]]]",
];

const SETTINGS: &[&str] = &[
    "null",
    r#"{"database":"app","to":"backups"}"#,
    r#"{"a":[{"a":"x","url":"https://clinic.test/"},{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}],"b":{"a":{"a":{"a":["x","y"]}}}}"#,
    r#"{"checks":[{"url":"https://clinic.test/"},{"url":"no URL"},{"url":"{{secret:X}}"}]}"#,
    r#"[[[[[[[["a","b"],["a","b"]],[["a","b"],["a","b"]]],[[["a","b"],["a","b"]],[["a","b"],["a","b"]]]]]]]]"#,
];

/// Settings can lie deep in each other, as a plugin's own defaults can make them.
const BRACKETS: &[(&str, &str)] = &[("[", "]"), ("[1,", "]"), (r#"{"a":"#, "}")];

fn cases(kept: &[Parts]) -> impl Strategy<Value = Parts> + use<> {
    let manifests: Vec<String> = kept.iter().map(|case| case.part("manifest").to_owned()).collect();
    let parts = vec(select(PATHS), 0..6).prop_map(|parts| parts.concat());
    let again = (select(PATHS), 1..50_usize).prop_map(|(part, times)| part.repeat(times));
    let path = prop_oneof![3 => parts, 1 => again].prop_map(|parts| format!("${parts}"));
    let deep = (select(BRACKETS), 1..100_usize)
        .prop_map(|((open, close), levels)| format!("{}\"x\"{}", open.repeat(levels), close.repeat(levels)));
    let settings = prop_oneof![
        4 => select(SETTINGS).prop_map(str::to_owned),
        2 => deep,
        1 => edited(SETTINGS.iter().map(ToString::to_string).collect(), WORDS),
    ];
    let changes = prop_oneof![2 => path.prop_map(Change::Path), 1 => edits().prop_map(Change::Text)];
    (any::<Index>(), changes, settings).prop_map(move |(which, change, settings)| {
        let manifest = which.get::<String>(&manifests);
        let manifest = match change {
            Change::Path(path) => with_path(manifest, &path),
            Change::Text(edits) => edits.of(manifest, &manifests, WORDS),
        };
        Parts(vec![("manifest".into(), manifest), ("settings".into(), settings)])
    })
}

/// What becomes of a manifest that is good.
#[derive(Debug, Clone)]
enum Change {
    Path(String),
    Text(Edits),
}

/// The manifest with this path wherever it asks for something.
fn with_path(manifest: &str, path: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(manifest) else {
        return manifest.to_owned();
    };
    let actions = value["actions"].as_array_mut().into_iter().flatten();
    for request in actions
        .filter_map(|action| action["capabilities"].as_array_mut())
        .flatten()
    {
        request["from"] = path.into();
    }
    value.to_string()
}

fn holds(case: &Parts) -> &'static str {
    let text = case.part("manifest");
    let manifest = match read(text) {
        Ok(manifest) => manifest,
        Err(problem) => {
            assert!(!problem.message.is_empty() && problem.hint.is_some());
            return "refused";
        }
    };
    assert!(text.len() <= MANIFEST_BYTES_MAX && !manifest.actions.is_empty());
    let written = serde_json::to_string(&manifest).expect("a manifest is JSON");
    assert_eq!(read(&written).expect("what was read can be read again"), manifest);
    let settings = serde_json::from_str::<Value>(case.part("settings")).unwrap_or_default();
    ask(&manifest, &settings)
}

/// Asks for what it wants with these settings.
fn ask(manifest: &Manifest, settings: &Value) -> &'static str {
    let mut found = "asks for nothing";
    for request in manifest.actions.iter().flat_map(|action| &action.capabilities) {
        match request.wanted_in_places(settings) {
            Ok(wanted) => {
                assert!(wanted.len() <= WANTED_MAX, "it asks for {} things", wanted.len());
                for (place, _) in &wanted {
                    assert!(settings.pointer(place).is_some_and(Value::is_string), "{place}");
                    found = "asks for something";
                }
            }
            Err(why) => assert!(!why.is_empty()),
        }
    }
    found
}

#[test]
fn whatever_a_manifest_says_it_is_refused_or_asked_in_bounded_time() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/manifest");
    let target = Target::new("manifest", folder);
    target.run(&cases(&target.corpus()).boxed(), holds);
}
