//! The documentation does what it says.

use crate::fences::{blocks, first_cells, section, text};
use crate::place::{Clinic, Place, Service};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_tour_of_the_readme_can_be_followed() {
    let place = Place::bare();
    place.compiled("config/state");
    clinic::seed(&place.path("app.db"), 100_000, 7, clinic::clock::now()).expect("a database");
    let readme = text("README.md");
    let mut service: Option<Service> = None;
    let mut commands = 0;
    for (language, block) in blocks(section(&readme, "Five minutes with your own database")) {
        if language == "toml" {
            let path = block.lines().next().and_then(|line| line.strip_prefix("# "));
            place.write(path.expect("the path of the file"), block);
            continue;
        }
        for line in block.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some(line) = line.strip_prefix("sopwith ") else {
                assert!(
                    line.starts_with("cargo build"),
                    "`{line}` is nothing that can be tried"
                );
                continue;
            };
            commands += 1;
            let words: Vec<_> = line.split_whitespace().collect();
            if words == ["serve"] {
                service = Some(place.serve());
            } else {
                place.good(&words);
            }
        }
    }
    assert!(commands >= 8, "{commands} commands are a short tour");
    assert_eq!(service.expect("the tour starts a service").stop(), Some(0));
}

/// A place with the resources that the pages speak of and the procedure of the page.
fn page(name: &str) -> (Place, Clinic, String) {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    let page = text(&format!("docs/plugins/{name}.md"));
    let url = clinic.url();
    for (language, block) in blocks(section(&page, "Procedure")) {
        let block = block.replace("http://127.0.0.1:8000", &url);
        match language {
            "toml" if block.starts_with('[') => place.add_to_host(&block),
            "toml" => place.write(&format!("config/procedures/{name}.toml"), &block),
            _ => {}
        }
    }
    (place, clinic, page)
}

fn check(name: &str) {
    let (place, clinic, page) = page(name);
    for heading in ["Settings", "Procedure", "Finds", "Changes"] {
        assert!(!section(&page, heading).trim().is_empty(), "{name}: {heading}");
    }
    let checked = place.sopwith(&["check", "--strict"]);
    assert_eq!(checked.code, Some(0), "{name}: {checked:?}");
    place.good(&["run", name]);
    clinic.stop();

    let plugin = place.json(&["plugins", "show", name]);
    let manifest = &plugin["manifest"];
    let documented: BTreeSet<_> = first_cells(section(&page, "Settings")).into_iter().collect();
    assert_eq!(documented, settings(&manifest["settings"]), "{name}");
    let actions = manifest["actions"].as_array().expect("a list").iter();
    let actions: BTreeSet<_> = actions
        .map(|action| action["name"].as_str().expect("a name").to_owned())
        .collect();
    for table in [page.as_str(), section(&page, "Changes")] {
        let documented: BTreeSet<_> = first_cells(table).into_iter().collect();
        assert_eq!(documented, actions, "{name}");
    }
}

/// The settings of a schema and, for those that are tables or lists of them, what they hold.
fn settings(schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, setting) in properties(schema, schema) {
        for (inner, _) in properties(schema, setting) {
            names.insert(format!("{name}.{inner}"));
        }
        names.insert(name.clone());
    }
    names
}

/// The properties of an object, of an optional one, or of the items of a list.
fn properties<'a>(root: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .expect("a definition");
        return properties(root, target);
    }
    if let Some(properties) = schema["properties"].as_object() {
        return properties.iter().collect();
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    let inner = choices.chain(schema.get("items"));
    inner.flat_map(|one| properties(root, one)).collect()
}

#[test]
fn the_page_of_backup_is_right() {
    check("backup");
}

#[test]
fn the_page_of_smoke_is_right() {
    check("smoke");
}

#[test]
fn the_secret_of_the_page_of_smoke_is_asked_for_and_sent() {
    let (place, clinic, page) = page("smoke");
    let blocks = blocks(section(&page, "Secrets"));
    let [("toml", checks), ("toml", host)] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let file = "config/procedures/smoke.toml";
    let procedure = fs::read_to_string(place.path(file)).expect("the procedure");
    let checks = checks.replace("http://127.0.0.1:8000", &clinic.url());
    place.write(file, format!("{procedure}\n{checks}"));
    let token = place.path("token");
    fs::write(&token, "7f0e31").expect("a file");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("a mode");
    place.add_to_host(&host.replace("/etc/sopwith/api-token", &token.display().to_string()));
    let lacking = place.sopwith(&["check", "--strict"]);
    assert!(
        lacking
            .stderr
            .contains("add under [grants]:  secrets = [\"API_TOKEN\"]"),
        "{lacking:?}"
    );

    let procedure = fs::read_to_string(place.path(file)).expect("the procedure");
    place.write(
        file,
        procedure.replacen("[grants]\n", "[grants]\nsecrets = [\"API_TOKEN\"]\n", 1),
    );
    place.good(&["check", "--strict"]);
    let run = place.json(&["run", "smoke"]);
    let checks = run["report"]["output"]["checks"].as_array().expect("a list");
    let last = checks.last().expect("the check with the secret");
    assert!(last["status"].is_number(), "it was sent: {last:#}");
}

#[test]
fn the_page_of_integrity_is_right() {
    check("integrity");
}

#[test]
fn each_standard_plugin_has_a_page() {
    let listed = Place::new().json(&["plugins"]);
    let plugins: BTreeSet<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|plugin| format!("{}.md", plugin["name"].as_str().expect("a name")))
        .collect();
    let pages = fs::read_dir(crate::fences::repository("docs/plugins")).expect("the pages");
    let pages: BTreeSet<_> = pages
        .map(|page| page.expect("a page").file_name().into_string().expect("text"))
        .collect();
    assert_eq!(pages, plugins);
}

#[test]
fn the_example_for_authors_is_the_plugin_that_is_built() {
    let page = text("docs/authoring.md");
    let plugin = text("plugins/fixtures/ping/src/lib.rs");
    let (_, example) = blocks(&page)
        .into_iter()
        .find(|(language, _)| *language == "rust")
        .expect("an example");
    let (_, example) = example.split_once("\n\n").expect("the head of the file");
    for paragraph in example.trim().split("\n\n") {
        // The plugin has an output beside, so that its action is longer.
        let shared = paragraph.split("\nfn check(").next().unwrap_or_default();
        assert!(plugin.contains(shared), "the plugin has no\n{shared}");
    }
}
