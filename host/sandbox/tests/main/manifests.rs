//! Plugins that lie about themselves: whatever a manifest says, it is read at once or refused.

use crate::guests::Written;
use crate::stage::{POOLING, sandbox};
use serde_json::{Value, json};
use sopwith_core::port::PluginLoader as _;

fn manifest(change: impl FnOnce(&mut Value)) -> String {
    let mut manifest = json!({
        "name": "liar", "version": "1.0.0", "summary": "Lies.", "settings": {},
        "actions": [{
            "name": "go", "summary": "Lies.", "inputs": {}, "output": {},
            "capabilities": [{ "kind": "databases", "access": "read", "from": "$.database", "reason": "to lie" }],
        }],
    });
    change(&mut manifest);
    manifest.to_string()
}

async fn check_text(manifest: String, expected: &str) {
    let written = Written {
        manifest: manifest.leak(),
        ..Written::default()
    };
    let loaded = sandbox(POOLING).load(written.bytes()).await;
    let said = loaded
        .err()
        .map_or_else(|| "loaded".to_owned(), |problem| problem.message);
    assert!(said.contains(expected), "{said}");
    assert!(
        said.len() < 4_000 && !said.contains(char::is_control),
        "{} bytes",
        said.len()
    );
}

async fn check(change: impl FnOnce(&mut Value), expected: &str) {
    check_text(manifest(change), expected).await;
}

#[tokio::test]
async fn manifest_that_is_too_large_is_refused() {
    check(|_| {}, "loaded").await;
    check(
        |it| it["summary"] = "x".repeat(3 << 20).into(),
        "and may have 1048576",
    )
    .await;
    let tables: Vec<_> = vec![json!({ "": 0 }); 100_000];
    check(
        |it| it["settings"] = json!({ "examples": tables }),
        "bytes of memory",
    )
    .await;
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    check_text(deep, "bytes of memory").await;
    let action = |number: usize| json!({ "name": format!("a{number}"), "summary": "Lies.", "inputs": {}, "output": {} });
    check(
        |it| it["actions"] = (0..101).map(action).collect(),
        "101 actions, and may have 100",
    )
    .await;
    check(
        |it| {
            let request = it["actions"][0]["capabilities"][0].clone();
            it["actions"][0]["capabilities"] = vec![request; 201].into();
        },
        "asks for 201 capabilities",
    )
    .await;
}

#[tokio::test]
async fn schema_that_is_a_bomb_is_refused() {
    let mut definitions: serde_json::Map<String, Value> = (0..40)
        .map(|level| {
            let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
            (format!("d{level}"), json!({ "allOf": [next, next] }))
        })
        .collect();
    definitions.insert("d40".to_owned(), json!({}));
    let bomb = json!({ "$defs": definitions, "$ref": "#/$defs/d0" });
    check(
        |it| it["settings"] = bomb.clone(),
        "`settings` has more than 100000 parts",
    )
    .await;
    check(
        |it| it["actions"][0]["inputs"] = bomb,
        "`inputs` of action `go` has more",
    )
    .await;
    check(
        |it| it["settings"] = json!({ "not": { "$ref": "#" } }),
        "refers to itself without end",
    )
    .await;
    let patterns: Vec<_> = (0..200)
        .map(|i| json!({ "pattern": format!("(a{{{i}}}){{500}}") }))
        .collect();
    check(
        |it| it["settings"] = json!({ "anyOf": patterns }),
        "one pattern too many",
    )
    .await;
}

#[tokio::test]
async fn path_that_finds_everything_again_and_again_is_refused() {
    for path in ["$..*..*..*..*..*", "$[*,*,*,*,*][*,*,*,*,*]", "$[?@[?@[?@..*]]]"] {
        check(
            |it| it["actions"][0]["capabilities"][0]["from"] = path.into(),
            "does not follow",
        )
        .await;
    }
}

#[tokio::test]
async fn words_that_play_tricks_on_a_terminal_are_refused() {
    let trick = "\u{1b}[2Jok\nrun ended\u{202e}";
    check(|it| it["name"] = trick.into(), "is not a name").await;
    check(
        |it| it["version"] = trick.into(),
        "`version` has the character U+001B",
    )
    .await;
    check(
        |it| it["summary"] = "a\nb".into(),
        "`summary` has the character U+000A",
    )
    .await;
    check(|it| it["actions"][0]["name"] = trick.into(), "is not a name").await;
    check(
        |it| it["actions"][0]["capabilities"][0]["reason"] = "\u{202e}".into(),
        "U+202E",
    )
    .await;
    check(
        |it| it["settings"] = json!({ "properties": { trick: {} } }),
        "U+001B",
    )
    .await;
    check(|it| it["settings"] = json!({ "description": "a\nb" }), "loaded").await;
    check(|it| it["settings"] = json!({ "description": trick }), "U+001B").await;
}

#[tokio::test]
async fn kind_that_the_manifest_does_not_have_is_refused() {
    check(
        |it| it["actions"][0]["capabilities"][0]["kind"] = "kernel".into(),
        "unknown variant `kernel`",
    )
    .await;
    check(|it| it["actions"] = json!({}), "`actions`: invalid type").await;
    check_text("{\"name\":\"a\"}{}".to_owned(), "missing field").await;
}
