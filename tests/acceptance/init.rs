//! `init`, in whatever directory somebody calls it.

use crate::fences::repository;
use crate::place::Place;
use rusqlite::Connection;
use std::fs;

/// Makes a database with a row in it.
fn database(place: &Place, relative: &str) {
    let path = place.path(relative);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .expect("a row");
}

/// What `init` writes passes `check` without a warning; the procedures of these databases are there and pass.
fn check(place: &Place, databases: &[&str]) {
    let written = place.json(&["init"]);
    place.compiled("config/state");
    let found: Vec<_> = written["databases"]
        .as_object()
        .expect("a table")
        .keys()
        .cloned()
        .collect();
    assert_eq!(found, databases);
    let checked = place.sopwith(&["check", "--strict"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for database in databases {
        place.good(&["run", &format!("{database}-backup")]);
        place.good(&["run", &format!("{database}-integrity")]);
    }
}

#[test]
fn what_it_writes_for_a_database_passes_and_runs() {
    let place = Place::bare();
    database(&place, "app.db");
    check(&place, &["app"]);
    let backups = fs::read_dir(place.path("config/backups")).expect("the folder");
    assert_eq!(backups.count(), 2, "a backup and its manifest");
}

#[test]
fn the_schemas_that_it_writes_are_those_of_the_files_and_lie_where_the_files_say() {
    let place = Place::bare();
    database(&place, "app.db");
    place.good(&["init"]);
    for (file, schema) in [
        ("sopwith.toml", "schema/sopwith.json"),
        ("procedures/app-backup.toml", "../schema/procedure.json"),
    ] {
        let file = place.path("config").join(file);
        let text = fs::read_to_string(&file).expect("a file");
        assert_eq!(text.lines().next(), Some(format!("#:schema {schema}").as_str()));
        let written = fs::read_to_string(file.with_file_name(schema)).expect("a schema");
        let name = schema.rsplit('/').next().expect("a name");
        let name = name.trim_end_matches(".json");
        assert_eq!(written.trim(), place.good(&["schema", name]).trim());
        let kept = fs::read_to_string(repository("config/schema").join(format!("{name}.json")));
        assert_eq!(
            kept.expect("the repository's"),
            written,
            "write it anew with `sopwith schema {name}`"
        );
    }
}

#[test]
fn databases_of_any_name_are_taken_or_told() {
    let place = Place::bare();
    for path in [
        "it's \"data\"/my app.sqlite3",
        "back\\slash\tand tab.db",
        "größe \"ü\".db",
        "--.db",
        "app.db",
        "b/APP.db",
        "100%25 # {x}.db",
    ] {
        database(&place, path);
    }
    database(&place, "what?.db");
    let names = [
        "100-25----x",
        "app",
        "app-2",
        "back-slash-and-tab",
        "database",
        "gr--e",
        "my-app",
    ];
    check(&place, &names);
    let other = place.sopwith(&["init", "--config", "other"]);
    assert!(other.stderr.contains("what?.db"), "{other:?}");
}

#[test]
fn an_environment_file_and_a_compose_file_name_services() {
    let place = Place::bare();
    fs::write(
        place.path(".env"),
        "PORT=8000\nDATABASE_URL=sqlite:///data/app.db\nSECRET_KEY=hush\nnonsense\n",
    )
    .expect("a file");
    fs::write(
        place.path("compose.yaml"),
        "services:\n  \"my web\":\n    image: x\n    ports: [\"127.0.0.1:9000:80\"]\n",
    )
    .expect("a file");
    check(&place, &[]);
    for service in ["app", "my-web"] {
        assert!(
            place
                .path(&format!("config/procedures/{service}-smoke.toml"))
                .exists()
        );
    }
    let host = fs::read_to_string(place.path("config/sopwith.toml")).expect("the file");
    assert!(!host.contains("hush"), "{host}");
}

#[test]
fn where_there_is_nothing_it_writes_what_can_be_filled_in() {
    check(&Place::bare(), &[]);
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::bare();
    database(&place, "app.db");
    place.good(&["init"]);
    let before = fs::read(place.path("config/sopwith.toml")).expect("the file");
    let ended = place.sopwith(&["init"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(
        fs::read(place.path("config/sopwith.toml")).expect("the file"),
        before
    );

    let place = Place::bare();
    database(&place, "app.db");
    fs::create_dir_all(place.path("config/procedures")).expect("a folder");
    fs::write(place.path("config/procedures/app-backup.toml"), "mine").expect("a file");
    let ended = place.sopwith(&["init"]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("app-backup.toml"), "{ended:?}");
    let mine = fs::read_to_string(place.path("config/procedures/app-backup.toml")).expect("the file");
    assert_eq!(mine, "mine");
}
