//! The folders and crates are as ARCHITECTURE.md draws them.

use crate::fences::{repository, text};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file that still has one subject.
const LINES_MAX: usize = 400;

fn crates() -> Vec<String> {
    let folders = fs::read_dir(repository("host")).expect("the crates");
    let names = folders.map(|entry| entry.expect("a crate").file_name().into_string().expect("text"));
    names.collect()
}

/// What a crate of the host depends on outside of its tests.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest: toml::Table = text(&format!("host/{name}/Cargo.toml"))
        .parse()
        .expect("a manifest");
    let dependencies = manifest["dependencies"].as_table().expect("a table");
    dependencies.keys().cloned().collect()
}

/// Every source file beneath a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn each_interface_of_the_contract_is_a_module_of_the_capabilities() {
    let mut interfaces = 0;
    for entry in fs::read_dir(repository("wit")).expect("the contract") {
        let contract = fs::read_to_string(entry.expect("a file").path()).expect("text");
        for line in contract.lines() {
            let Some(name) = line
                .strip_prefix("interface ")
                .and_then(|rest| rest.strip_suffix(" {"))
            else {
                continue;
            };
            interfaces += 1;
            let places = match name {
                "types" | "procedure" => continue,
                // Beside the rules of egress that it shares with `wasi:http`.
                "probe" => vec!["network/probe.rs".to_owned()],
                "secret-reveal" => vec!["secrets/reveal.rs".to_owned()],
                name => vec![format!("{name}.rs"), format!("{name}/mod.rs")],
            };
            let exists = |place: &String| repository("host/capabilities/src").join(place).exists();
            assert!(places.iter().any(exists), "`{name}` is none of {places:?}");
        }
    }
    assert!(interfaces > 5, "{interfaces} interfaces are no contract");
}

#[test]
fn crates_meet_through_the_ports_of_core_alone() {
    for name in crates() {
        let siblings: Vec<_> = dependencies(&name)
            .into_iter()
            .filter(|dependency| dependency.starts_with("sopwith-"))
            .collect();
        match name.as_str() {
            "cli" => assert_eq!(siblings.len(), crates().len() - 1, "it wires them all"),
            "core" => assert!(siblings.is_empty(), "{siblings:?}"),
            _ => assert_eq!(siblings, ["sopwith-core"], "{name}"),
        }
    }
}

#[test]
fn each_heavy_dependency_lives_where_it_belongs() {
    for (dependency, homes) in [
        ("wasmtime", &["sandbox"][..]),
        ("wasmtime-wasi", &["sandbox"]),
        ("wasmtime-wasi-http", &["sandbox"]),
        ("axum", &["server"]),
        ("reqwest", &["server"]),
        ("notify", &["config"]),
        ("toml", &["config"]),
        ("clap", &["cli"]),
        ("anyhow", &["cli"]),
        ("rusqlite", &["capabilities", "store"]),
    ] {
        let mut users = crates();
        users.retain(|name| dependencies(name).contains(dependency));
        users.sort();
        assert_eq!(users, homes, "{dependency}");
    }
}

#[test]
fn each_file_says_its_subject_and_has_no_more_than_one() {
    let mut files = Vec::new();
    for folder in ["host", "plugins", "tests"] {
        sources(&repository(folder), &mut files);
    }
    assert!(files.len() > 100, "{} files are not the source", files.len());
    for file in files {
        let source = fs::read_to_string(&file).expect("text");
        let lines = source.lines().count();
        assert!(
            source.starts_with("//! "),
            "{} does not say its subject",
            file.display()
        );
        assert!(lines <= LINES_MAX, "{} has {lines} lines", file.display());
    }
}
