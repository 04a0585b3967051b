//! Procedures that call others, with real plugins.

use crate::place::Place;
use std::fs;

const CALLER: &str = "plugin = \"exerciser\"\naction = \"call\"\n\n[grants]\nprocedures = [\"called\"]\n\
                      databases = { app = \"read\" }\n\n[settings]\nprocedures = [\"called\"]\ndatabase = \"app\"\n";
const CALLED: &str = "plugin = \"exerciser\"\naction = \"query\"\n\n[grants]\ndatabases = { app = \"read\" }\n\n\
                      [settings]\ndatabase = \"app\"\n";

/// Tells the run that is called to count the tables.
const TABLES: &str = r#"inputs={"statement":"SELECT 1 FROM sqlite_schema"}"#;

fn place() -> Place {
    let place = Place::new();
    place.drop_in("exerciser", "exerciser");
    place.write("config/procedures/caller.toml", CALLER);
    place.write("config/procedures/called.toml", CALLED);
    let app = rusqlite::Connection::open(place.path("app/app.db")).expect("a database");
    app.execute_batch("CREATE TABLE account (id INTEGER PRIMARY KEY)")
        .expect("a table");
    place
}

#[test]
fn a_procedure_that_is_called_runs_under_its_own_grants_and_its_run_is_shown() {
    let place = place();
    let ended = place.sopwith(&[
        "run",
        "caller",
        "--set",
        "procedure=called",
        "--set",
        TABLES,
        "--json",
    ]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let run: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let outcome = &run["report"]["output"];
    assert_eq!(outcome["state"], "succeeded", "{outcome}");
    let id = outcome["run"].as_str().expect("an id");
    let shown = place.good(&["show", id]);
    let caller = run["id"].as_str().expect("an id");
    assert!(shown.contains(&format!("called by the run {caller}")), "{shown}");
    let last = place.json(&["run", "caller", "last", "--set", "procedure=called"]);
    assert_eq!(last["report"]["output"], id, "{last}");
    assert!(place.good(&["grants", "caller"]).contains("procedures.call"));
}

#[test]
fn what_is_not_granted_is_not_called() {
    let place = place();
    let without = CALLER.replace("procedures = [\"called\"]\ndatabases", "databases");
    place.write("config/procedures/caller.toml", without);
    let ended = place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let hint = "add under [grants]:  procedures = [\"called\"]";
    assert!(ended.stderr.contains(hint), "{}", ended.stderr);
}

#[test]
fn a_circle_is_refused_before_anything_runs() {
    let place = place();
    place.write(
        "config/procedures/called.toml",
        CALLED.replace("[grants]\n", "[grants]\nprocedures = [\"caller\"]\n"),
    );
    let ended = place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let circle = "procedures could call each other in a circle: called → caller → called";
    assert!(ended.stderr.contains(circle), "{}", ended.stderr);
}

#[test]
fn a_scratch_that_is_lent_stands_in_the_place_of_a_database() {
    let place = place();
    let tables = |more: &[&str]| {
        let arguments = ["run", "caller", "--set", "procedure=called", "--set", TABLES];
        let run = place.json(&[&arguments[..], more].concat());
        run["report"]["output"]["output"].clone()
    };
    assert_eq!(tables(&[]), 1);
    assert_eq!(tables(&["--set", "lend=app"]), 0);
    let left = fs::read_dir(place.path("state/scratch")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the scratch went with the run that made it");
}
