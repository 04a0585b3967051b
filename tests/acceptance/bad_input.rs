//! Whatever is wrong with what operators bring is told with its place and a hint, and disturbs nothing.

use crate::golden::assert_golden;
use crate::hostile::manifests;
use crate::place::{Place, Service, until};
use crate::procedures::{backup, exerciser};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;

const PROCEDURE: &str = "config/procedures/bad.toml";
const PLUGIN: &str = "config/plugins/bad.wasm";

/// A procedure that is good; each case spoils one line of it.
const GOOD: &str = r#"summary = "A procedure"
plugin = "backup"

[[schedule]]
action = "backup"
cron = "15 4 * * *"
time_zone = "Europe/Berlin"

[grants]
databases = { app = "read" }
directories = { backups = "write" }

[actions.restore.grants]
databases = { app = "replace" }

[settings]
database = "app"
to = "backups"
keep = { daily = 14 }
"#;

/// The cases of one line: name, what stands there, what should.
const LINES: [(&str, &str, &str); 7] = [
    ("unknown-key", "cron =", "corn ="),
    ("wrong-type", "\"A procedure\"", "7"),
    ("bad-cron", "15 4 * * *", "15 25 * * *"),
    ("bad-time-zone", "Europe/Berlin", "Europe/Berlyn"),
    ("missing-plugin", "\"backup\"\n\n", "\"bakcup\"\n\n"),
    ("settings-that-break-the-schema", "daily = 14", "daily = \"many\""),
    (
        "grant-of-an-unknown-resource",
        "{ backups = \"write\"",
        "{ backup = \"write\"",
    ),
];

/// The cases of a plugin's bytes.
fn plugins() -> [(&'static str, Vec<u8>); 7] {
    let text = |text| wat::parse_str(text).expect("a component in text");
    let unknown = r#"(component (instance $i) (export "sopwith:plugin/procedure@2.0.0" (instance $i)))"#;
    let whole = text("(component (core module (memory 1)))");
    [
        ("not-a-component", b"#!/bin/sh\n".to_vec()),
        ("corrupt-plugin", whole[..whole.len() - 3].to_vec()),
        ("core-module", text("(module)")),
        ("unknown-contract", text(unknown)),
        ("lying-manifest", lie("kind")),
        ("oversized-manifest", lie("long")),
        ("oversized-schema", lie("a fan")),
    ]
}

/// A plugin that says of itself what is not so.
fn lie(name: &str) -> Vec<u8> {
    let lie = manifests::all().find(|lie| lie.name == name);
    lie.expect("there is one").bytes
}

/// A host that runs, and what must not change about it.
struct Undisturbed {
    place: Place,
    service: Service,
    generation: Value,
}

impl Undisturbed {
    fn new() -> Self {
        Self::with("")
    }

    /// With more in `sopwith.toml`.
    fn with(resources: &str) -> Self {
        let place = Place::new();
        place.add_to_host(resources);
        fs::write(place.path("app/app.db"), "").expect("an empty database");
        exerciser(
            &place,
            "fixture",
            "[[schedule]]\naction = \"state\"\ncron = \"* * * * * *\"\nseconds = true\n",
        );
        let service = place.serve();
        let generation = place.json(&["status"])["generation"].clone();
        Self {
            place,
            service,
            generation,
        }
    }

    /// `check` says it as the golden file does; log and status say it too, and what is in force stays.
    fn check(&mut self, name: &str) {
        let ended = self.place.sopwith(&["check"]);
        assert_eq!(ended.code, Some(3), "{name}: {ended:?}");
        assert!(ended.stderr.contains("\n  --> config/"), "{name}: {ended:?}");
        assert!(ended.stderr.contains("\nhint: "), "{name}: {ended:?}");
        assert_golden(&self.place, name, &ended.stderr);

        self.service.wait_for(PROCEDURE);
        let status = until("the refusal", || {
            let status = self.place.json(&["status"]);
            (status["reload"]["accepted"] == false).then_some(status)
        });
        assert_eq!(status["generation"], self.generation, "{name}");
        let told = status["reload"]["diagnostics"].as_array().expect("a list");
        for diagnostic in told {
            let diagnostic = diagnostic.as_str().expect("a text");
            assert!(ended.stderr.contains(diagnostic), "{name}: {diagnostic}");
        }
    }

    /// What ran goes on.
    fn assert_it_runs(mut self) {
        self.service.wait_for("run ended");
        assert_eq!(self.service.stop(), Some(0));
    }

    /// Takes away what was wrong.
    fn mend(&mut self, files: &[&str]) {
        for file in files {
            fs::remove_file(self.place.path(file)).expect("the file");
        }
        self.service.wait_for("is in force");
    }
}

#[test]
fn a_bad_procedure_is_told_with_its_place_and_disturbs_nothing() {
    let mut host = Undisturbed::new();
    for (name, good, bad) in LINES {
        assert!(GOOD.contains(good), "{name} spoils nothing");
        host.place.write(PROCEDURE, GOOD.replacen(good, bad, 1));
        host.check(name);
        host.mend(&[PROCEDURE]);
    }
    host.place.write(PROCEDURE, GOOD);
    host.place.write("config/procedures/Bad.toml", GOOD);
    host.check("two-procedures-of-one-name");
    host.assert_it_runs();
}

#[test]
fn a_bad_plugin_is_told_with_its_place_and_disturbs_nothing() {
    let mut host = Undisturbed::new();
    for (name, bytes) in plugins() {
        host.place.write(PLUGIN, bytes);
        host.place.write(
            PROCEDURE,
            "summary = \"A procedure\"\nplugin = \"bad\"\n[settings]\na = 1\n",
        );
        host.check(name);
        host.mend(&[PROCEDURE, PLUGIN]);
    }
    host.assert_it_runs();
}

#[test]
fn an_unreadable_directory_of_the_configuration_is_named() {
    let place = Place::new();
    let folder = place.path("config/procedures");
    fs::remove_dir(&folder).expect("an empty folder");
    // Nobody can read a link to itself, not even root.
    symlink(&folder, &folder).expect("a link");
    let ended = place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_golden(&place, "unreadable-directory-of-procedures", &ended.stderr);
}

#[test]
fn an_unreadable_directory_is_told_before_a_backup_and_fails_it() {
    let place = Place::new();
    fs::write(place.path("app/app.db"), "").expect("an empty database");
    let folder = place.path("backups");
    fs::remove_dir(&folder).expect("an empty folder");
    symlink(&folder, &folder).expect("a link");
    backup(&place, "");
    check_resource(&place, "unreadable-directory");
}

#[test]
fn a_database_that_is_none_is_told_before_a_backup_and_fails_it() {
    let place = Place::new();
    fs::write(
        place.path("app/app.db"),
        "a letter to the operator, and no database\n",
    )
    .expect("a file");
    backup(&place, "");
    check_resource(&place, "not-a-database");
    let entries = fs::read_dir(place.path("backups")).expect("the folder");
    assert_eq!(entries.count(), 0, "there is nothing that could be restored");
}

/// `check` warns, since a disk may be mounted later; a run fails and says why.
fn check_resource(place: &Place, name: &str) {
    let checked = place.sopwith(&["check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let ran = place.sopwith(&["run", "clinic-backup"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = format!("{}\n{}", checked.stderr, failure(place, "clinic-backup"));
    assert_golden(place, name, &told);
}

/// Why the newest run of a procedure failed.
fn failure(place: &Place, procedure: &str) -> String {
    let run = &place.json(&["show", procedure])["details"]["run"];
    let failure = &run["failure"];
    format!(
        "run: {}\nhint: {}\nblame: {}\n",
        failure["message"].as_str().expect("a message"),
        failure["hint"].as_str().unwrap_or("none"),
        failure["blame"].as_str().expect("a blame")
    )
}

const SITE: &str = "[network.site]\nallow = [\"http://127.0.0.1:9\"]\n";

/// A procedure that sends this secret.
fn sends(secret: &str) -> String {
    format!(
        "summary = \"Sends\"\nplugin = \"smoke\"\n\n[grants]\nnetwork = [\"site\"]\nsecrets = [\"{secret}\"]\n\n\
         [[settings.checks]]\nname = \"page\"\nurl = \"http://127.0.0.1:9/\"\n\
         headers = {{ authorization = \"Bearer {{{{secret:{secret}}}}}\" }}\n"
    )
}

#[test]
fn a_secret_that_nobody_named_is_told_with_its_place_and_disturbs_nothing() {
    let mut host = Undisturbed::with(SITE);
    host.place.write(PROCEDURE, sends("NOBODY"));
    host.check("unknown-secret");
    host.mend(&[PROCEDURE]);
    host.assert_it_runs();
}

/// What no file shows fails the run that meets it, and that one alone.
#[test]
fn a_secret_without_a_value_and_blanks_that_do_not_fit_fail_their_runs_and_disturb_nothing() {
    let mut host = Undisturbed::with(&format!(
        "{SITE}[secrets.TOKEN]\nstore = \"file\"\npath = \"../token\"\nuse = [\"network.site\"]\n\
         [commands.say]\nprogram = \"/bin/echo\"\narguments = [\"{{word}}\"]\n\
         [commands.say.blanks]\nword = {{ pattern = '(?s).*' }}\n"
    ));
    host.place.write("config/procedures/sends.toml", sends("TOKEN"));
    host.service.wait_for("is in force");
    exerciser(
        &host.place,
        "says",
        "action = \"command\"\n[grants]\ncommands = [\"say\"]\n[settings]\ncommands = [\"say\"]\n",
    );
    host.service.wait_for("is in force");
    let generation = host.place.json(&["status"])["generation"].clone();
    for (name, procedure, blank) in [
        ("secret-without-a-value", "sends", None),
        ("blank-with-a-new-line", "says", Some("a\\nb")),
        ("blank-with-a-leading-dash", "says", Some("-rf")),
    ] {
        let blanks = blank.map(|value| format!("--set=blanks={{\"word\": \"{value}\"}}"));
        let mut arguments = vec!["run", procedure];
        arguments.extend(blanks.as_deref());
        arguments.extend(blank.map(|_| "--set=command=say"));
        let ended = host.place.sopwith(&arguments);
        assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
        assert!((ended.stdout + &ended.stderr).contains(procedure), "{name}");
        assert_golden(&host.place, name, &failure(&host.place, procedure));
        let status = host.place.json(&["status"]);
        assert_eq!(status["generation"], generation, "{name}: {status:#}");
        assert_eq!(status["reload"]["accepted"], true, "{name}: {status:#}");
    }
    host.assert_it_runs();
}

#[test]
fn a_second_service_on_one_data_directory_is_refused() {
    let place = Place::new();
    let service = place.serve();
    let ended = place.sopwith(&["serve"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let process = format!("process {}", service.pid());
    assert!(ended.stderr.contains(&process), "{ended:?}");
    let told = ended.stderr.replace(&process, "process PID");
    assert_golden(&place, "data-directory-in-use", &told);
    assert_eq!(service.stop(), Some(0));
}
