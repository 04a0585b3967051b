//! Plugins that lie, and files that are none, dropped into a host that runs: each is refused and told,
//! the version before goes on, and neighbours keep their time.

use super::arena::Arena;
use super::manifests::{Lie, all, honest, procedure};
use crate::place::until;
use serde_json::Value;
use sopwith_core::run::RunState;
use std::fs;

const PLUGIN: &str = "config/plugins/liar.wasm";
const PROCEDURE: &str = "config/procedures/lies.toml";

#[test]
fn a_lie_that_is_dropped_into_a_host_that_runs_is_told_and_disturbs_nothing() {
    let arena = Arena::new();
    for lie in all() {
        arena.beside_a_neighbour(lie.name, || drop_in(&arena, &lie));
    }
}

fn drop_in(arena: &Arena, lie: &Lie) {
    let Lie { name, expected, .. } = lie;
    arena.place.write(PLUGIN, honest());
    arena.hear("is in force");
    let text = procedure(name, &lie.settings);
    if fs::read_to_string(arena.place.path(PROCEDURE)).ok().as_ref() != Some(&text) {
        arena.place.write(PROCEDURE, text);
        arena.hear("is in force");
    }
    let before = status(arena, true);

    arena.place.write(PLUGIN, &lie.bytes);
    arena.hear("lies.toml");
    let status = status(arena, false);
    let told = status["reload"]["diagnostics"].to_string();
    assert!(told.contains(expected) && told.contains("liar"), "{name}: {told}");
    assert!(told.len() < 10_000, "{name}: {} bytes", told.len());
    assert_eq!(in_force(&status), in_force(&before), "{name}");
    let run = arena.end(arena.start("lies", "go"));
    assert_eq!(run.state, RunState::Succeeded, "{name}: {run:?}");
}

/// The status, once it tells of what was said before.
fn status(arena: &Arena, accepted: bool) -> Value {
    until("what became of the change", || {
        let status = arena.place.json(&["status"]);
        (status["reload"]["accepted"] == accepted).then_some(status)
    })
}

/// What runs: the generation, and the plugin of each procedure.
fn in_force(status: &Value) -> (Value, Vec<Value>) {
    let procedures = status["procedures"].as_array().expect("a list");
    let digests = procedures.iter().map(|one| one["plugin_digest"].clone());
    (status["generation"].clone(), digests.collect())
}
