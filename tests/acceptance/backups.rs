//! What becomes of backups: the rules let old ones go, and whoever needs one gets a sound database.

use crate::main_job::assert_sound;
use crate::place::{Clinic, Place};
use crate::procedures::backup;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// What the newest run of an action reports.
fn output(place: &Place, arguments: &[&str]) -> Value {
    place.json(&[&["run", "clinic-backup"], arguments].concat())["report"]["output"].clone()
}

/// Makes a backup; its name.
fn make(place: &Place) -> String {
    let made = output(place, &[]);
    made["name"].as_str().expect("a name").to_owned()
}

/// Everything that lies in the directory of the backups.
fn files(place: &Place) -> BTreeSet<String> {
    let entries = fs::read_dir(place.path("backups")).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    names.collect::<Result<_, _>>().expect("text")
}

fn manifest(name: &str) -> String {
    format!("{name}.manifest.json")
}

/// Files that are no backups of this procedure, though some look like it.
struct Strangers(Vec<(String, Vec<u8>)>);

impl Strangers {
    fn among_the_backups(place: &Place) -> Self {
        let written = [
            ("notes.txt", "do not touch"),
            ("app-20200101.db", "a file without a manifest"),
            ("app-20200102.db", "a backup of somebody else"),
            (
                "app-20200102.db.manifest.json",
                "{ \"format\": 1, \"database\": \"app\" }",
            ),
        ];
        for (name, text) in written {
            place.write(&format!("backups/{name}"), text);
        }
        let rotten = "app-20200103.db.manifest.json";
        place.write(&format!("backups/{rotten}"), b"\xff\xfe");
        let mut names: Vec<String> = written.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.push(rotten.to_owned());
        backup(place, "");
        fs::rename(
            place.path("config/procedures/clinic-backup.toml"),
            place.path("config/procedures/other-backup.toml"),
        )
        .expect("a rename");
        let others = place.json(&["run", "other-backup"])["report"]["output"]["name"].clone();
        let others = others.as_str().expect("a name");
        names.extend([others.to_owned(), manifest(others)]);
        let read = |name: String| {
            let bytes = fs::read(place.path("backups").join(&name)).expect("the file");
            (name, bytes)
        };
        Self(names.into_iter().map(read).collect())
    }

    fn assert_untouched(&self, place: &Place) {
        for (name, bytes) in &self.0 {
            let now = fs::read(place.path("backups").join(name)).expect(name);
            assert!(now == *bytes, "{name} was touched");
        }
    }

    /// These backups, with their manifests, and the strangers.
    fn and(&self, backups: &[&String]) -> BTreeSet<String> {
        let backups = backups.iter().flat_map(|name| [(*name).clone(), manifest(name)]);
        backups
            .chain(self.0.iter().map(|(name, _)| name.clone()))
            .collect()
    }
}

#[test]
fn a_new_backup_takes_the_place_of_one_that_no_rule_keeps() {
    let place = Place::new();
    Clinic::start(&place, 10, vec![]).stop();
    let strangers = Strangers::among_the_backups(&place);
    backup(&place, "keep = { last = 2 }");
    let mut made: Vec<String> = Vec::new();
    for _ in 0..4 {
        let before = files(&place);
        let output = output(&place, &[]);
        made.push(output["name"].as_str().expect("a name").to_owned());
        let gone: BTreeSet<_> = before.difference(&files(&place)).cloned().collect();
        let told: Vec<String> = serde_json::from_value(output["pruned"]["removed"].clone()).expect("names");
        let told: BTreeSet<_> = told
            .iter()
            .flat_map(|name| [name.clone(), manifest(name)])
            .collect();
        assert_eq!(gone, told, "what is gone is what the run tells");
        let kept: Vec<&String> = made.iter().rev().take(2).collect();
        assert_eq!(files(&place), strangers.and(&kept));
    }
    strangers.assert_untouched(&place);
}

/// Dates a backup back by so many hours.
fn date_back(place: &Place, name: &str, hours: i64) {
    let path = format!("backups/{}", manifest(name));
    let text = fs::read_to_string(place.path(&path)).expect("the manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
    for instant in ["started_at", "ended_at"] {
        let at: Timestamp = manifest[instant]
            .as_str()
            .expect("a text")
            .parse()
            .expect("an instant");
        manifest[instant] = json!(at - SignedDuration::from_hours(hours));
    }
    place.write(&path, manifest.to_string());
}

/// What `list` says of each: its name, what `prune` does with it, and why.
fn listed(place: &Place) -> Vec<[String; 3]> {
    let rows = output(place, &["list"])["backups"].clone();
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| ["name", "prune", "reasons"].map(|key| row[key].as_str().expect("a text").to_owned()))
        .collect()
}

#[test]
fn list_tells_what_prune_does_and_why_and_prune_does_it() {
    let place = Place::new();
    Clinic::start(&place, 10, vec![]).stop();
    let strangers = Strangers::among_the_backups(&place);
    backup(&place, "keep = { daily = 2 }\nprune = false");
    let [oldest, superseded, older, newest] = [96, 49, 48, 0].map(|hours| {
        let name = make(&place);
        date_back(&place, &name, hours);
        name
    });
    let row = |name: &str, fate: &str, why: &str| [name, fate, why].map(str::to_owned);
    let kept = [
        row(&newest, "keep", "daily snapshot"),
        row(&older, "keep", "daily snapshot"),
    ];
    let going = [
        row(&superseded, "remove", "no rule keeps it"),
        row(&oldest, "remove", "no rule keeps it"),
    ];
    let others = &strangers
        .0
        .iter()
        .rev()
        .nth(1)
        .expect("the backup of the other procedure")
        .0;
    let theirs = row(others, "leave", "of procedure `other-backup`");
    let mut rows = listed(&place);
    assert!(rows.contains(&theirs), "{rows:?}");
    rows.retain(|row| *row != theirs);
    assert_eq!(rows, [&kept[..], &going].concat());

    let all = files(&place);
    let planned = place.json(&["run", "clinic-backup", "prune", "--dry-run"]);
    assert_eq!(
        planned["report"]["summary"], "would keep 2, remove 2",
        "{planned:#}"
    );
    assert_eq!(files(&place), all, "a dry run removes nothing");
    let pruned = output(&place, &["prune"]);
    assert_eq!(pruned["removed"], json!([oldest, superseded]));
    assert_eq!(files(&place), strangers.and(&[&newest, &older]));
    let again = place.json(&["run", "clinic-backup", "prune"]);
    assert_eq!(again["report"]["verdict"], "nothing-to-do", "{again:#}");
    let mut rows = listed(&place);
    rows.retain(|row| *row != theirs);
    assert_eq!(rows, kept);
    strangers.assert_untouched(&place);
}

#[test]
fn a_backup_is_restored_as_a_new_file_while_the_database_goes_on() {
    let place = Place::new();
    let clinic = Clinic::start(&place, 200, vec![]);
    clinic.written(100);
    backup(
        &place,
        "compress = \"zstd\"\nrestore = { directory = \"backups\" }",
    );
    let made = output(&place, &[]);
    clinic.written(20);
    let restored = output(&place, &["restore", "--set", "to=rehearsal.db"]);
    assert_eq!(restored["from"], made["name"]);
    assert_eq!(restored["to"], "rehearsal.db");
    assert_eq!(restored["problems"], json!([]));
    clinic.written(20);
    clinic.stop();

    let path = place.path("backups/rehearsal.db");
    assert_sound(&path);
    assert_sound(&place.path("app/app.db"));
    let permissions = fs::metadata(&path).expect("the file").permissions();
    assert_eq!(
        permissions.mode() & 0o777,
        0o600,
        "who may read it may read the database"
    );
    let connection = Connection::open(&path).expect("a database");
    for (table, rows) in made["manifest"]["rows"].as_object().expect("tables") {
        let count = format!("SELECT count(*) FROM \"{table}\"");
        let found: u64 = connection
            .query_row(&count, [], |row| row.get(0))
            .expect("a number");
        assert_eq!(json!(found), *rows, "{table}");
    }
}

/// Whether the database has the table that came after its backup.
fn is_the_later_one(place: &Place) -> bool {
    let connection = Connection::open(place.path("app/app.db")).expect("a database");
    connection.table_exists(None, "later").expect("an answer")
}

#[test]
fn the_old_database_is_back_where_the_restored_one_is_not_right() {
    let place = Place::new();
    Clinic::start(&place, 10, vec![]).stop();
    backup(&place, "");
    place.good(&["run", "clinic-backup"]);
    Connection::open(place.path("app/app.db"))
        .and_then(|connection| connection.execute_batch("CREATE TABLE later (x)"))
        .expect("a table");
    let restore = ["run", "clinic-backup", "restore"];
    let ended = place.sopwith(&[&restore[..], &["--set", "rows={\"patients\":987654}", "--json"]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let run: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let report = &run["report"];
    assert_eq!(report["verdict"], "critical", "{report:#}");
    assert_eq!(report["output"]["put_back"], true, "{report:#}");
    let problems = report["output"]["problems"].to_string();
    assert!(problems.contains("instead of 987,654"), "{problems}");
    assert!(is_the_later_one(&place), "the safety copy is back");
    assert_sound(&place.path("app/app.db"));
    let shown = place.json(&["show", "clinic-backup"]);
    assert!(
        shown["journal"].to_string().contains("backup/restore"),
        "{shown:#}"
    );
    let safety = report["output"]["safety_copy"]
        .as_str()
        .expect("a name")
        .to_owned();
    assert!(files(&place).is_superset(&[safety.clone(), manifest(&safety)].into()));

    let restored = output(&place, &["restore"]);
    assert_eq!(restored["put_back"], false, "{restored:#}");
    assert!(!is_the_later_one(&place), "it is the backup now");
    output(&place, &["restore", "--set", &format!("from={safety}")]);
    assert!(
        is_the_later_one(&place),
        "a safety copy is restored like a backup"
    );
}
