//! Asks a plugin for its manifest, with no grants at all, and checks what it says.

#[cfg(test)]
mod fuzz;

use crate::bindings::PluginPre;
use crate::guest::Guest;
use crate::machine::Machine;
use crate::no_capabilities::NoCapabilities;
use crate::schema::Measure;
use crate::visit::Visit;
use crate::{json, path, texts};
use serde_json::Value;
use sopwith_core::failure::{Blame, Failure};
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
/// The same in memory, where each of its parts takes more.
const MANIFEST_MEMORY_MAX: usize = 16 << 20;
/// Nobody keeps an overview of more actions, nor of more that a plugin asks for.
const ACTIONS_MAX: usize = 100;
const REQUESTS_MAX: usize = 200;
const VERSION_BYTES_MAX: usize = 64;

const MENDED_BY_AUTHOR: &str =
    "a plugin says what it is at once and without anybody's help; its author has to mend it";

/// The plugin's manifest.
pub(crate) async fn describe(machine: &Machine, ready: &PluginPre<Guest>) -> Result<Manifest, PluginProblem> {
    let text = ask(machine, ready).await.map_err(|failure| PluginProblem {
        message: format!("the plugin does not describe itself: {failure}"),
        // What a failure of a run would say speaks of limits, and none is there to be raised.
        hint: match failure.blame {
            Blame::Plugin => Some(MENDED_BY_AUTHOR.to_owned()),
            Blame::Host | Blame::Operator | Blame::Outside => failure.hint,
        },
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
    let memory = json::memory(text);
    if memory > MANIFEST_MEMORY_MAX {
        return Err(bad(format!(
            "it takes {memory} bytes of memory, and may take {MANIFEST_MEMORY_MAX}"
        )));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let manifest: Manifest =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.path().to_string() {
            path if path == "." => bad(error.inner()),
            path => bad(format!("`{path}`: {}", error.inner())),
        })?;
    reader.end().map_err(bad)?;
    check(&manifest).map_err(bad)?;
    Ok(manifest)
}

fn check(manifest: &Manifest) -> Result<(), String> {
    if manifest.version.len() > VERSION_BYTES_MAX {
        return Err(format!("`version` has more than {VERSION_BYTES_MAX} bytes"));
    }
    texts::check_line("`version`", &manifest.version)?;
    texts::check_line("`summary`", &manifest.summary)?;
    let mut measure = Measure::default();
    check_schema(&mut measure, "`settings`", &manifest.settings)?;
    match manifest.actions.len() {
        0 => return Err("`actions` is empty".to_owned()),
        1..=ACTIONS_MAX => {}
        many => return Err(format!("it has {many} actions, and may have {ACTIONS_MAX}")),
    }
    let requests: usize = manifest
        .actions
        .iter()
        .map(|action| action.capabilities.len())
        .sum();
    if requests > REQUESTS_MAX {
        return Err(format!(
            "it asks for {requests} capabilities, and may ask for {REQUESTS_MAX}"
        ));
    }
    let mut names = BTreeSet::new();
    for action in &manifest.actions {
        if !names.insert(&action.name) {
            return Err(format!("there are two actions `{}`", action.name));
        }
        check_action(&mut measure, action)?;
    }
    Ok(())
}

fn check_action(measure: &mut Measure, action: &Action) -> Result<(), String> {
    let of = |what: &str| format!("{what} of action `{}`", action.name);
    texts::check_line(&of("`summary`"), &action.summary)?;
    check_schema(measure, &of("`inputs`"), &action.inputs)?;
    check_schema(measure, &of("`output`"), &action.output)?;
    for request in &action.capabilities {
        let what = of("a capability");
        texts::check_line(&of("the reason for a capability"), &request.reason)?;
        path::check(&request.from).map_err(|why| format!("{what}: {why}"))?;
        let wanted = request.wanted(&Value::Null);
        wanted.map_err(|error| format!("{what}: {error}"))?;
    }
    Ok(())
}

/// Only what no schema can be, or what would be too much for whoever uses it; whether settings fit
/// is found out where they are checked.
fn check_schema(measure: &mut Measure, what: &str, schema: &Value) -> Result<(), String> {
    measure.check(schema).map_err(|why| format!("{what} {why}"))?;
    texts::check_json(what, schema)
}

fn bad(why: impl std::fmt::Display) -> PluginProblem {
    PluginProblem {
        message: texts::shown(&format!("the plugin's manifest is not valid: {why}")),
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
