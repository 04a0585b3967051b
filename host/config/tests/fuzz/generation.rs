//! Folders of files: each is refused with places that can be found, or becomes a generation that lasts.

use crate::support::{ManifestLoader, standard, workshop};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sopwith_config::last_good::start;
use sopwith_config::{Diagnostic, Loaded, StandardPlugin, has_errors, load, peek_data_directory};
use sopwith_core::generation::Generation;
use sopwith_fuzz::{Parts, Target, edits};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "#", "\\", "\n", "\r\n", "\t",
    "\u{0}", "\u{1b}[2J", "\u{feff}", "ä", "true", "0", "-1", "1e400", "nan", "inf", "0xffffffffffffffffff",
    "9223372036854775808", "1979-05-27T07:32:00Z", "07:32:00", "\"\"", "\"10m\"", "\"1h 1ns\"", "\"-1s\"",
    "\"64 MiB\"", "\"1e30 YiB\"", "\"{{env:HOME}}\"", "\"{{env:\"", "\"{{secret:X}}\"", "\"{{\"",
    "\"sqlite:app.db\"", "\"sqlite:..\"", "\"postgres://u:p@h/d\"", "\"https://*.clinic.test\"",
    "\"$.database\"", "\"$..*\"", "\"..\"", "\"/\"", "\"UTC\"", "\"Etc/GMT+12\"", "\"* * * * *\"",
    "\"@daily\"", "\"read\"", "\"write\"", "\"replace\"", "\"\\u0000\"", "\"\\U0010FFFF\"", "host", "limits",
    "ceiling", "databases", "directories", "network", "commands", "secrets", "egress", "plugins", "plugin",
    "action", "actions", "inputs", "settings", "grants", "schedule", "retry", "locks", "name", "url", "path",
    "data_directory", "timeout", "\"$ref\"", "\"pattern\"", "\"default\"", "\"type\"", "$schema", "null",
];

/// The invalid configurations, with their files as they are.
fn invalid() -> Vec<Parts> {
    let mut folders: Vec<PathBuf> = fs::read_dir("tests/invalid")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let read = folders.iter().map(|folder| folder_of(folder));
    read.filter(|case| !case.0.is_empty()).collect()
}

fn folder_of(folder: &Path) -> Parts {
    let mut parts = Vec::new();
    for (directory, extension) in [("", "toml"), ("procedures", "toml"), ("plugins", "wasm")] {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder.join(directory))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for file in entries
            .iter()
            .filter(|file| file.extension().is_some_and(|found| found == extension))
        {
            if let Ok(text) = fs::read_to_string(file) {
                let name = file.strip_prefix(folder).unwrap().to_str().unwrap();
                parts.push((name.to_owned(), text));
            }
        }
    }
    Parts(parts)
}

fn cases(good: Vec<Parts>, invalid: Vec<Parts>) -> impl Strategy<Value = Parts> {
    let texts = |extension: &str| -> Vec<String> {
        let all = good.iter().chain(&invalid).flat_map(|case| case.0.clone());
        let all = all.filter(|(name, _)| name.ends_with(extension));
        all.map(|(_, text)| text).collect()
    };
    let (toml, json) = (texts(".toml"), texts(".wasm"));
    let seed = prop_oneof![4 => select(good), 1 => select(invalid)];
    let changes =
        prop_oneof![3 => vec((any::<Index>(), edits()), 1), 1 => vec((any::<Index>(), edits()), 2..4)];
    (seed, changes).prop_map(move |(mut case, changes)| {
        for (part, edits) in &changes {
            let place = part.index(case.0.len());
            let (name, text) = &mut case.0[place];
            let others = if name.starts_with("plugins/") {
                &json
            } else {
                &toml
            };
            *text = edits.of(text, others, WORDS);
        }
        case
    })
}

/// A place on disk in which one folder after the other lies.
struct Bench {
    root: TempDir,
    runtime: Runtime,
    loader: ManifestLoader,
    standard: Vec<StandardPlugin>,
}

impl Bench {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            runtime: Builder::new_current_thread().build().unwrap(),
            loader: ManifestLoader::default(),
            standard: standard(),
        }
    }

    fn config(&self) -> PathBuf {
        self.root.path().join("config")
    }

    fn lay(&self, case: &Parts) {
        let _ = fs::remove_dir_all(self.config());
        let _ = fs::remove_dir_all(self.root.path().join("state"));
        for directory in ["procedures", "plugins", "backups"] {
            fs::create_dir_all(self.config().join(directory)).unwrap();
        }
        fs::write(self.config().join("app.db"), "").unwrap();
        for (name, text) in &case.0 {
            fs::write(self.config().join(name), text).unwrap();
        }
    }

    fn load(&self) -> Loaded {
        let workshop = workshop(&self.loader, &self.standard);
        self.runtime.block_on(load(&self.config(), workshop, None))
    }

    /// Starts a host on the folder, or on what was kept where that is broken.
    fn start(&self) -> Result<(bool, std::sync::Arc<Generation>), Vec<Diagnostic>> {
        let workshop = workshop(&self.loader, &self.standard);
        let (config, state) = (self.config(), self.root.path().join("state"));
        let started = self.runtime.block_on(start(&config, &state, workshop))?;
        Ok((started.kept, started.generation))
    }

    fn holds(&self, case: &Parts) -> &'static str {
        self.lay(case);
        let loaded = self.load();
        assert_eq!(loaded.generation.is_none(), has_errors(&loaded.diagnostics));
        assert_eq!(
            self.load().diagnostics,
            loaded.diagnostics,
            "it is told in the same way each time"
        );
        for diagnostic in &loaded.diagnostics {
            self.check_told(diagnostic, case);
        }
        let Some(generation) = loaded.generation else {
            return "refused";
        };
        let data_directory = peek_data_directory(&self.config()).unwrap();
        assert_eq!(data_directory, generation.host.data_directory);
        let (kept, first) = self.start().unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        assert!(!kept);
        check_same(&first, &generation);
        assert_eq!(first.digest, generation.digest);
        fs::write(self.config().join("sopwith.toml"), "[").unwrap();
        let (kept, second) = self.start().unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        assert!(kept);
        check_same(&second, &generation);
        let plugins = case
            .0
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("plugins/"));
        let is_used = |file: &str| {
            let mut used = generation
                .procedures
                .values()
                .map(|ready| &ready.procedure.plugin);
            used.any(|plugin| file.strip_suffix(".wasm") == Some(plugin.as_str()))
        };
        // What nobody uses is part of the files and is not kept.
        if plugins.clone().all(is_used) {
            assert_eq!(second.digest, generation.digest);
        }
        "taken up"
    }

    /// A place can be found in the file, and what is printed says nothing to the terminal.
    fn check_told(&self, diagnostic: &Diagnostic, case: &Parts) {
        assert!(!diagnostic.message.is_empty());
        let said = diagnostic.to_string();
        // A line of its own for what is wrong, where, three of the excerpt, and the hint.
        assert!(said.lines().count() <= 6, "{said}");
        assert!(
            !said.contains(|one: char| one.is_control() && one != '\n'),
            "{said:?}"
        );
        let json = serde_json::to_string(diagnostic).unwrap();
        assert_eq!(&serde_json::from_str::<Diagnostic>(&json).unwrap(), diagnostic);
        let Some(place) = &diagnostic.place else { return };
        let file = diagnostic.file.as_ref().expect("a place has a file");
        let mut parts = case.0.iter();
        let (_, text) = parts
            .find(|(name, _)| *file == self.config().join(name))
            .unwrap_or_else(|| panic!("there is no file `{}`", file.display()));
        let mut lines = text.split_inclusive('\n').chain([""]);
        let Some(line) = lines.nth(place.line - 1) else {
            panic!("there is no line {}", place.line);
        };
        let line = line.lines().next().unwrap_or_default();
        let shown = place.source.chars().count();
        assert!(shown <= line.chars().count(), "{place:?} is not {line:?}");
        assert!(
            (1..=line.chars().count() + 1).contains(&place.column),
            "{place:?} in {line:?}"
        );
        assert!(
            place.width == 0 || place.column + place.width <= shown + 2,
            "{place:?}"
        );
    }
}

fn check_same(one: &Generation, other: &Generation) {
    assert_eq!(one.host, other.host);
    assert_eq!(one.resources, other.resources);
    assert!(one.procedures.keys().eq(other.procedures.keys()));
    for (ready, same) in one.procedures.values().zip(other.procedures.values()) {
        assert_eq!(ready.procedure, same.procedure);
        assert_eq!(ready.plugin.digest(), same.plugin.digest());
        assert_eq!(ready.unavailable, same.unavailable);
        assert_eq!(ready.held, same.held);
    }
}

#[test]
fn whatever_files_say_is_refused_at_a_place_or_taken_up_and_kept() {
    let target = Target::new("generation", "tests/corpus/generation");
    let bench = Bench::new();
    let mut good = target.corpus();
    good.push(folder_of(Path::new("../../config")));
    let cases = cases(good, invalid()).boxed();
    target.run(&cases, |case| bench.holds(case));
}
