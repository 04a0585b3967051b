//! Asks a plugin for its manifest, with no grants at all, and checks what it says.

use crate::bindings::PluginPre;
use crate::guest::Guest;
use crate::machine::Machine;
use crate::no_capabilities::NoCapabilities;
use crate::visit::Visit;
use serde_json::Value;
use sopwith_core::failure::Failure;
use sopwith_core::limits::Limits;
use sopwith_core::manifest::{Action, Manifest};
use sopwith_core::port::{Bounds, PluginProblem};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A plugin needs microseconds for this.
const TIMEOUT: Duration = Duration::from_secs(3);
/// A manifest with schemas has some 10 KiB.
const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// The plugin's manifest.
pub(crate) async fn describe(machine: &Machine, ready: &PluginPre<Guest>) -> Result<Manifest, PluginProblem> {
    let text = ask(machine, ready).await.map_err(|failure| PluginProblem {
        message: format!("the plugin does not describe itself: {failure}"),
        hint: failure.hint,
    })?;
    read(&text)
}

async fn ask(machine: &Machine, ready: &PluginPre<Guest>) -> Result<String, Failure> {
    let limits = Limits {
        timeout: TIMEOUT,
        ..Limits::default()
    };
    let bounds = Bounds {
        limits,
        cancel: CancellationToken::new(),
    };
    let mut visit = Visit::begin(machine, Arc::new(NoCapabilities::default()), bounds)?;
    let watch = Arc::clone(&visit.watch);
    let described = watch.guard(async {
        let plugin = ready.instantiate_async(&mut visit.store).await?;
        plugin
            .sopwith_plugin_procedure()
            .call_describe(&mut visit.store)
            .await
    });
    let described = described.await;
    visit.end(described).await.0
}

fn read(text: &str) -> Result<Manifest, PluginProblem> {
    if text.len() > MANIFEST_BYTES_MAX {
        return Err(bad(format!(
            "it has {} bytes, and may have {MANIFEST_BYTES_MAX}",
            text.len()
        )));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let manifest: Manifest =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.path().to_string() {
            path if path == "." => bad(error.inner()),
            path => bad(format!("`{path}`: {}", error.inner())),
        })?;
    reader.end().map_err(bad)?;
    check(&manifest)?;
    Ok(manifest)
}

fn check(manifest: &Manifest) -> Result<(), PluginProblem> {
    check_schema("`settings`", &manifest.settings)?;
    if manifest.actions.is_empty() {
        return Err(bad("`actions` is empty"));
    }
    let mut names = BTreeSet::new();
    for action in &manifest.actions {
        if !names.insert(&action.name) {
            return Err(bad(format!("there are two actions `{}`", action.name)));
        }
        check_action(action)?;
    }
    Ok(())
}

fn check_action(action: &Action) -> Result<(), PluginProblem> {
    check_schema(&format!("`inputs` of action `{}`", action.name), &action.inputs)?;
    check_schema(&format!("`output` of action `{}`", action.name), &action.output)?;
    for request in &action.capabilities {
        let wanted = request.wanted(&Value::Null);
        wanted.map_err(|error| bad(format!("a capability of action `{}`: {error}", action.name)))?;
    }
    Ok(())
}

/// Only what no schema can be; whether settings fit is found out where they are checked.
fn check_schema(what: &str, schema: &Value) -> Result<(), PluginProblem> {
    if schema.is_object() || schema.is_boolean() {
        return Ok(());
    }
    Err(bad(format!("{what} is not a JSON Schema")))
}

fn bad(why: impl std::fmt::Display) -> PluginProblem {
    PluginProblem {
        message: format!("the plugin's manifest is not valid: {why}"),
        hint: Some("the SDK makes a manifest that is".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest() -> Value {
        json!({
            "name": "ping", "version": "1.0.0", "summary": "Pings.", "settings": {},
            "actions": [{
                "name": "check", "summary": "Pings once.", "inputs": {}, "output": true,
                "capabilities": [{ "kind": "network", "access": "GET", "from": "$.url", "reason": "to ping" }],
            }],
        })
    }

    fn check(change: impl FnOnce(&mut Value), expected: &str) {
        let mut manifest = manifest();
        change(&mut manifest);
        let outcome =
            read(&manifest.to_string()).map_or_else(|problem| problem.message, |_| "valid".to_owned());
        assert!(outcome.contains(expected), "{outcome}");
    }

    #[test]
    fn problem_of_a_manifest_names_the_field() {
        check(|_| {}, "valid");
        check(|it| it["name"] = json!("a b"), "`name`: `a b` is not a name");
        check(|it| it["actions"] = json!([]), "`actions` is empty");
        check(
            |it| it["settings"] = json!("x"),
            "`settings` is not a JSON Schema",
        );
        check(
            |it| it["actions"][0]["inputs"] = json!(1),
            "`inputs` of action `check` is not",
        );
        check(
            |it| it["actions"][0]["changes"] = json!(1),
            "`actions[0].changes`: invalid type",
        );
        let from = |it: &mut Value| it["actions"][0]["capabilities"][0]["from"] = json!("url");
        check(from, "a capability of action `check`: `url` is not a JSONPath");
        let twice = |it: &mut Value| {
            let action = it["actions"][0].clone();
            it["actions"] = json!([action, action]);
        };
        check(twice, "two actions `check`");
    }

    #[test]
    fn manifest_that_is_no_json_is_a_problem() {
        let problem = read("{").expect_err("no JSON");
        assert!(problem.message.contains("EOF"), "{problem}");
    }
}
