//! Plugins that change while the host runs: held, released, replaced.

use crate::guest::{manifest, plugin};
use crate::place::{Place, until};
use serde_json::{Value, json};

const HELD: &str = "summary = \"A procedure\"\nplugin = \"written\"\n\n[settings]\nto = \"backups\"\n";

/// What a plugin asks for that writes into the directory of its settings.
fn wish() -> Value {
    json!([{
        "kind": "directories",
        "access": "write",
        "from": "$.to",
        "required": true,
        "reason": "keeps what it makes",
    }])
}

fn procedure(place: &Place) -> Value {
    place.json(&["status"])["procedures"][0].clone()
}

#[test]
fn a_new_version_that_asks_for_more_is_held_until_it_is_granted() {
    let place = Place::new();
    place.write(
        "config/plugins/written.wasm",
        plugin(&manifest("1.0.0", &json!([]))),
    );
    place.write("config/procedures/held.toml", HELD);
    let mut service = place.serve();
    let old = procedure(&place)["plugin_digest"].clone();

    place.write("config/plugins/written.wasm", plugin(&manifest("2.0.0", &wish())));
    let held = until("a held version", || {
        let procedure = procedure(&place);
        (!procedure["held"].is_null()).then_some(procedure)
    });
    assert_eq!(held["plugin_digest"], old, "the old version goes on");
    place.good(&["run", "held"]);
    let line = "directories = { backups = \"write\" }";
    service.wait_for("the new version of the plugin `written` is held back from the procedure `held`");
    service.wait_for(&format!("hint: add under [grants]:  {line}"));
    let told = place.good(&["status"]);
    assert!(told.contains("is held, the old one goes on"), "{told}");
    assert!(told.contains(line), "{told}");

    place.write(
        "config/procedures/held.toml",
        HELD.replace("[settings]", &format!("[grants]\n{line}\n\n[settings]")),
    );
    let released = until("the release", || {
        let procedure = procedure(&place);
        procedure["held"].is_null().then_some(procedure)
    });
    assert_ne!(released["plugin_digest"], old, "the new version is in force");
    place.good(&["run", "held"]);
    assert!(!place.good(&["status"]).contains("is held"));
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_held_version_stays_held_over_a_restart() {
    let place = Place::new();
    place.write(
        "config/plugins/written.wasm",
        plugin(&manifest("1.0.0", &json!([]))),
    );
    place.write("config/procedures/held.toml", HELD);
    place.serve().stop();
    place.write("config/plugins/written.wasm", plugin(&manifest("2.0.0", &wish())));
    let service = place.serve();
    assert!(procedure(&place)["held"]["lacks"][0]["hint"].is_string());
    place.good(&["run", "held"]);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_file_takes_the_place_of_the_standard_plugin_of_its_name() {
    let place = Place::new();
    let origin = |name: &str| {
        let shown = place.json(&["plugins", "show", name]);
        (shown["origin"].clone(), shown["manifest"]["version"].clone())
    };
    let listed = place.good(&["plugins"]);
    let line = listed
        .lines()
        .find(|line| line.starts_with("backup"))
        .expect("a line");
    assert!(line.contains("standard"), "{line}");
    let standard = origin("backup");

    place.write(
        "config/plugins/backup.wasm",
        plugin(&manifest("9.9.9", &json!([]))),
    );
    let listed = place.good(&["plugins"]);
    let line = listed
        .lines()
        .find(|line| line.starts_with("backup"))
        .expect("a line");
    assert!(line.contains("instead of the standard one"), "{line}");
    assert!(line.contains("9.9.9"), "{line}");
    assert_eq!(origin("backup").1, "9.9.9");

    std::fs::remove_file(place.path("config/plugins/backup.wasm")).expect("the file");
    assert_eq!(origin("backup"), standard);
}

#[test]
fn each_of_several_schedules_starts_its_own_action() {
    let place = Place::new();
    crate::procedures::exerciser(
        &place,
        "fixture",
        r#"
[[schedule]]
action = "state"
cron = "* * * * * *"
seconds = true

[[schedule]]
name = "named"
action = "findings"
inputs = { subjects = ["one"] }
cron = "* * * * * *"
seconds = true
"#,
    );
    let service = place.serve();
    for (schedule, action) in [("state", "state"), ("named", "findings")] {
        until("a run of each", || {
            let runs = place.json(&["runs", "fixture", "--state", "succeeded"]);
            let runs = runs.as_array().expect("a list").clone();
            runs.iter()
                .any(|run| run["trigger"]["schedule"] == schedule && run["action"] == action)
                .then_some(())
        });
    }
    assert_eq!(service.stop(), Some(0));
}
