//! What plugins want, what they used and what they were denied, as operators see it.

use crate::place::Place;
use crate::procedures::backup;
use serde_json::Value;

/// A procedure with one grant that is used and one that never is.
fn place() -> Place {
    let place = Place::new();
    let database = rusqlite::Connection::open(place.path("app/app.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE notes (id)")
        .expect("a table");
    std::fs::create_dir(place.path("unused")).expect("a folder");
    place.add_to_host("[directories.unused]\npath = \"../unused\"\n");
    backup(&place, "");
    let file = "config/procedures/clinic-backup.toml";
    let text = std::fs::read_to_string(place.path(file)).expect("the file");
    place.write(
        file,
        text.replace(
            "directories = { backups = \"write\" }",
            "directories = { backups = \"write\", unused = \"read\" }",
        ),
    );
    place
}

fn line<'a>(procedure: &'a Value, name: &str, section: &str) -> &'a Value {
    let lines = procedure["grants"].as_array().expect("a list").iter();
    let mut fitting = lines.filter(|line| line["name"] == name && line["section"] == section);
    fitting
        .next()
        .unwrap_or_else(|| panic!("{name} under {section}: {procedure:#}"))
}

#[test]
fn grants_that_are_never_used_are_told_apart_from_those_that_are() {
    let place = place();
    place.good(&["run", "clinic-backup"]);
    place.good(&["run", "clinic-backup", "--dry-run"]);

    let told = place.json(&["grants", "clinic-backup"]);
    let database = line(&told[0], "app", "[grants]");
    let calls: Vec<_> = database["calls"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|call| call["call"].as_str().expect("a name"))
        .collect();
    assert!(calls.contains(&"flow.from-database"), "{calls:?}");
    assert!(line(&told[0], "backups", "[grants]")["times"].as_u64() > Some(0));
    assert_eq!(line(&told[0], "unused", "[grants]")["times"], 0);
    assert_eq!(line(&told[0], "app", "[actions.restore.grants]")["times"], 0);

    let text = place.good(&["grants"]);
    assert!(text.contains("2 grants were never used"), "{text}");
    assert!(text.contains("clinic-backup.toml"), "{text}");
}

#[test]
fn check_says_what_each_action_wants_and_why_before_any_run() {
    let place = place();
    let text = place.good(&["check"]);
    let wants = |action: &str, wanted: &str, granted: &str| {
        let mut lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.any(|line| line.starts_with(&format!("{action} {wanted} {granted} ")))
    };
    assert!(wants("backup", "`read` on databases.app", "yes"), "{text}");
    assert!(wants("backup", "`write` on directories.backups", "yes"), "{text}");
    assert!(wants("restore", "`replace` on databases.app", "yes"), "{text}");

    let file = "config/procedures/clinic-backup.toml";
    let whole = std::fs::read_to_string(place.path(file)).expect("the file");
    let without = whole.replace(
        "[actions.restore.grants]\ndatabases = { app = \"replace\" }\n",
        "",
    );
    place.write(file, without);
    let told = place.json(&["check"]);
    let asked = told["wanted"][0]["asked"].as_array().expect("a list");
    let restore = asked
        .iter()
        .find(|one| one["action"] == "restore" && one["wanted"]["Named"]["access"] == "replace")
        .expect("the request");
    let hint = restore["denial"]["hint"].as_str().expect("a hint");
    assert_eq!(
        hint,
        "add under [actions.restore.grants]:  databases = { app = \"replace\" }"
    );
}

#[test]
fn what_was_denied_is_told_with_the_line_that_would_allow_it() {
    let place = Place::new();
    place.drop_in("fetch", "fetch");
    place.add_to_host("[network.site]\nallow = [\"http://127.0.0.1:9\"]\n");
    place.write(
        "config/procedures/page.toml",
        "plugin = \"fetch\"\n\n[grants]\nnetwork = [\"site\"]\n\n[settings]\nurl = \"http://127.0.0.1:9/\"\ninstead = \"http://127.0.0.1:10/\"\n",
    );
    for times in 1..3 {
        assert_eq!(place.sopwith(&["run", "page"]).code, Some(1));
        let told = place.json(&["grants", "page"]);
        let denied = &told[0]["denials"][0];
        assert_eq!(
            (&denied["action"], &denied["times"]),
            (&"fetch".into(), &times.into())
        );
        assert_eq!(
            denied["denial"]["hint"],
            "change under [network.site] in sopwith.toml:  allow = [\"http://127.0.0.1:9\", \"http://127.0.0.1:10\"]"
        );
    }
    let text = place.good(&["grants", "page"]);
    assert!(text.contains("denied to `fetch` 2 times"), "{text}");
}

#[test]
fn reads_are_counted_by_resource_and_call_and_written_with_the_step_that_follows() {
    let place = Place::new();
    let database = rusqlite::Connection::open(place.path("app/app.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE words (word)")
        .expect("a table");
    std::fs::create_dir(place.path("words")).expect("a folder");
    std::fs::write(place.path("words/words"), "abc").expect("a file");
    place.add_to_host("[directories.words]\npath = \"../words\"\n");
    place.drop_in("parrot", "parrot");
    place.write(
        "config/procedures/words.toml",
        "plugin = \"parrot\"\naction = \"repeat\"\n\n[grants]\ndatabases = { app = \"read\" }\n\
         directories = { words = \"read\" }\n\n[settings]\ndatabase = \"app\"\ndirectory = \"words\"\n",
    );
    place.good(&["run", "words"]);
    let shown = place.json(&["show", "words"]);
    let notes = shown["journal"].as_array().expect("a record");
    let written: Vec<_> = (0..notes.len())
        .filter(|at| notes[*at]["note"] == "used")
        .collect();
    assert_eq!(written.len(), 1, "one line for all of them: {shown:#}");
    let (counts, step) = (&notes[written[0]]["uses"], &notes[written[0] + 1]);
    assert_eq!(
        (&step["note"], &step["name"]),
        (&"step_finished".into(), &"repeat".into())
    );
    let counts = counts.as_array().expect("a list").iter();
    let counted: Vec<_> = counts
        .map(|one| {
            let word = |key: &str| one[key].as_str().expect("a word").to_owned();
            let of = format!("{}.{} {}", word("kind"), word("name"), word("access"));
            format!("{of} {} {}", word("call"), one["times"])
        })
        .collect();
    let expected = [
        "databases.app read sql.describe 1",
        "databases.app read sql.open 1",
        "databases.app read sql.schema 1",
        "databases.app read sql.verify 1",
        // The file as a whole, each of its three bytes, and through WASI.
        "directories.words read files.read 5",
        "directories.words read files.stat 1",
        "directories.words read files.walk 1",
    ];
    assert_eq!(counted, expected);

    place.good(&["run", "words"]);
    let told = place.json(&["grants", "words"]);
    assert_eq!(line(&told[0], "app", "[grants]")["times"], 2 * 4);
    let directory = line(&told[0], "words", "[grants]");
    assert_eq!(directory["times"], 2 * 7);
    let read = &directory["calls"][0];
    assert_eq!(
        (&read["call"], &read["times"]),
        (&"files.read".into(), &10.into())
    );
}
