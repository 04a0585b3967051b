//! `wasi:http` leads through the same gate as `probe`.

use crate::place::{Clinic, Place};

/// A procedure that asks for the clinic's health through `wasi:http`, with these grants.
fn fetch(place: &Place, url: &str, grants: &str) {
    place.drop_in("fetch", "fetch");
    place.add_to_host(&format!("[network.clinic]\nallow = [\"{url}\"]\n"));
    place.write(
        "config/procedures/page.toml",
        format!("summary = \"A page\"\nplugin = \"fetch\"\n{grants}\n[settings]\nurl = \"{url}/health\"\n"),
    );
}

#[test]
fn a_plugin_gets_a_granted_page_through_wasi_http() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    fetch(&place, &clinic.url(), "[grants]\nnetwork = [\"clinic\"]");
    let run = place.json(&["run", "page"]);
    assert_eq!(run["report"]["output"]["status"], 200, "{run:#}");
    let body = run["report"]["output"]["body"].as_str().expect("a body");
    assert!(body.contains("ok"), "{body}");
}

#[test]
fn wasi_http_leads_nowhere_else_and_the_refusal_is_on_record() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 0, vec![]);
    fetch(&place, &clinic.url(), "[grants]\nnetwork = [\"clinic\"]");
    // The name leads to the granted address, and nobody granted the name.
    let other = clinic.url().replace("127.0.0.1", "localhost");
    let file = std::fs::read_to_string(place.path("config/procedures/page.toml")).expect("the file");
    place.write(
        "config/procedures/page.toml",
        format!("{file}instead = \"{other}/health\"\n"),
    );
    let ended = place.sopwith(&["run", "page"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let shown = place.good(&["show", "page"]);
    assert!(shown.contains("denied: `GET` to http://localhost"), "{shown}");
}
