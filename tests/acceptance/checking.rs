//! `check`: what the host would make of the files, before it does.

use crate::guest::{manifest, plugin};
use crate::place::Place;
use serde_json::json;

const PROCEDURE: &str = "summary = \"A procedure\"\nplugin = \"written\"\n\n[settings]\nto = \"backups\"\n";

/// A plugin that writes into the directory of its settings.
fn writing(version: &str) -> Vec<u8> {
    let wish = json!([{
        "kind": "directories",
        "access": "write",
        "from": "$.to",
        "required": true,
        "reason": "keeps what it makes",
    }]);
    plugin(&manifest(version, &wish))
}

#[test]
fn what_a_plugin_wants_is_told_with_its_reason_also_where_it_is_refused() {
    let place = Place::new();
    place.write("config/plugins/written.wasm", writing("1.0.0"));
    place.write("config/procedures/wishing.toml", PROCEDURE);
    let checked = place.sopwith(&["check"]);
    assert_eq!(checked.code, Some(3), "{checked:?}");
    let error = "`go` of the plugin `written` needs `write` on directories.backups (keeps what it makes)";
    assert!(checked.stderr.contains(error), "{checked:?}");
    let row = checked.stdout.lines().find(|line| line.starts_with("go"));
    let row: Vec<_> = row
        .expect("a row")
        .split("  ")
        .filter(|cell| !cell.is_empty())
        .collect();
    let expected = [
        "go",
        "`write` on directories.backups",
        "no",
        "keeps what it makes",
    ];
    assert_eq!(row.iter().map(|cell| cell.trim()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_version_that_the_service_holds_is_held_for_who_checks_too() {
    let place = Place::new();
    place.write(
        "config/plugins/written.wasm",
        plugin(&manifest("1.0.0", &json!([]))),
    );
    place.write("config/procedures/wishing.toml", PROCEDURE);
    assert_eq!(place.serve().stop(), Some(0));
    place.write("config/plugins/written.wasm", writing("2.0.0"));
    let checked = place.sopwith(&["check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked
            .stderr
            .contains("is held back from the procedure `wishing`"),
        "{checked:?}"
    );
    let line = "directories = { backups = \"write\" }";
    assert!(checked.stderr.contains(line), "{checked:?}");
    assert_eq!(place.sopwith(&["check", "--strict"]).code, Some(3));
}
