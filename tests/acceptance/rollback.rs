//! Going back to the plugin before, and files that are taken up before somebody runs something.

use crate::guest::{manifest, plugin};
use crate::place::Place;
use crate::procedures::exerciser;
use serde_json::{Value, json};

const FILE: &str = "config/plugins/written.wasm";

fn put(place: &Place, version: &str) {
    place.write(FILE, plugin(&manifest(version, &json!([]))));
}

fn with_plugin() -> Place {
    let place = Place::new();
    put(&place, "1.0.0");
    place.write(
        "config/procedures/it.toml",
        "summary = \"A procedure\"\nplugin = \"written\"\n",
    );
    place
}

fn shown(place: &Place) -> Value {
    place.json(&["plugins", "show", "written"])
}

fn version(place: &Place) -> String {
    shown(place)["manifest"]["version"]
        .as_str()
        .expect("a version")
        .to_owned()
}

#[test]
fn a_plugin_goes_back_over_restarts_until_another_file_lies_there() {
    let place = with_plugin();
    let service = place.serve();
    put(&place, "2.0.0");
    let after = place.json(&["run", "it"])["plugin_digest"].clone();
    let told = place.good(&["plugins", "rollback", "written"]);
    assert!(told.contains("the plugin `written` went back from "), "{told}");
    assert_eq!(version(&place), "1.0.0");
    let back = place.json(&["run", "it"])["plugin_digest"].clone();
    assert_ne!(back, after);
    assert_eq!(shown(&place)["rolled_back"]["from"], after);
    let told = place.good(&["plugins", "show", "written"]);
    assert!(told.contains("rolled back from "), "{told}");
    assert!(place.good(&["plugins"]).contains("(rolled back)"));
    let again = place.sopwith(&["plugins", "rollback", "written"]);
    assert!(again.stderr.contains("was rolled back already"), "{again:?}");
    assert_eq!(service.stop(), Some(0));

    assert_eq!(version(&place), "1.0.0", "without a service");
    let service = place.serve();
    assert_eq!(version(&place), "1.0.0", "after a restart");
    put(&place, "3.0.0");
    place.good(&["run", "it"]);
    assert_eq!(version(&place), "3.0.0");
    assert!(shown(&place)["rolled_back"].is_null());
    // The file that somebody went back from once is a file like any other now.
    put(&place, "2.0.0");
    place.good(&["run", "it"]);
    assert_eq!(version(&place), "2.0.0");
    assert_eq!(service.stop(), Some(0));
    place.good(&["audit", "verify"]);
}

#[test]
fn going_back_is_undone_and_needs_something_to_go_back_to() {
    let place = with_plugin();
    let nothing = place.sopwith(&["plugins", "rollback", "written"]);
    assert!(
        nothing
            .stderr
            .contains("no bytes of the plugin `written` are kept"),
        "{nothing:?}"
    );
    for (name, why) in [
        ("writen", "did you mean `written`?"),
        ("backup", "is part of Sopwith"),
    ] {
        let refused = place.sopwith(&["plugins", "rollback", name]);
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    place.good(&["run", "it"]);
    put(&place, "2.0.0");
    // Nobody has taken the new file up yet: what it would go back to is what was in force last.
    place.good(&["plugins", "rollback", "written"]);
    assert_eq!(version(&place), "1.0.0");
    let told = place.good(&["plugins", "rollback", "written", "--undo"]);
    assert!(told.contains("again, the file in the folder"), "{told}");
    assert_eq!(version(&place), "2.0.0");
    let undone = place.sopwith(&["plugins", "rollback", "written", "--undo"]);
    assert!(undone.stderr.contains("is not rolled back"), "{undone:?}");
}

#[test]
fn a_broken_plugin_is_gone_back_from_where_no_service_runs() {
    let place = with_plugin();
    place.good(&["run", "it"]);
    place.write(FILE, "nonsense");
    assert_eq!(place.sopwith(&["check"]).code, Some(3));
    place.good(&["plugins", "rollback", "written"]);
    assert_eq!(place.sopwith(&["check"]).code, Some(0));
    place.good(&["run", "it"]);
    let undone = place.sopwith(&["plugins", "rollback", "written", "--undo"]);
    assert!(undone.stderr.contains("nothing was changed"), "{undone:?}");
    assert_eq!(version(&place), "1.0.0");
}

#[test]
fn whatever_file_lies_there_ends_it_also_the_one_that_is_in_force_and_one_that_is_refused() {
    let place = with_plugin();
    let service = place.serve();
    put(&place, "2.0.0");
    place.good(&["run", "it"]);
    place.good(&["plugins", "rollback", "written"]);
    place.write(FILE, "nonsense");
    // The one that is in force is not the one in the folder.
    place.good(&["plugins", "rollback", "written"]);
    assert_eq!(version(&place), "1.0.0");
    let undone = place.sopwith(&["plugins", "rollback", "written", "--undo"]);
    assert!(undone.stderr.contains("nothing was changed"), "{undone:?}");
    put(&place, "1.0.0");
    let undone = place.sopwith(&["plugins", "rollback", "written", "--undo"]);
    assert!(undone.stderr.contains("is not rolled back"), "{undone:?}");
    place.good(&["run", "it"]);
    assert!(shown(&place)["rolled_back"].is_null());
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_run_right_after_an_edit_goes_by_the_edit() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    let service = place.serve();
    let mut before = Value::Null;
    for version in 1..8 {
        exerciser(
            &place,
            "fixture",
            &format!("action = \"state\"\nversion = {version}\n"),
        );
        let revision = place.json(&["run", "fixture"])["revision"].clone();
        assert_ne!(revision, before, "version {version}");
        before = revision;
    }
    exerciser(&place, "fixture", "action = \"state\"\nversion = 9\n");
    let told = place.good(&["check"]);
    assert!(told.contains("the service has it in force"), "{told}");
    place.write("config/procedures/fixture.toml", "nonsense");
    let ended = place.sopwith(&["run", "fixture"]);
    assert!(ended.stderr.contains("the files are broken"), "{ended:?}");
    assert_eq!(service.stop(), Some(0));
}
