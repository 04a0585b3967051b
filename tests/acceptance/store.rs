//! A record that is not ours, is damaged, or is of another version: refused with its name, and never touched.

use crate::place::Place;
use crate::procedures::exerciser;
use std::fs;

#[test]
fn a_file_that_is_no_database_is_refused_by_every_command_and_left_as_it_is() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    place.good(&["run", "fixture"]);
    let file = place.path("state/history.db");
    for suffix in ["-wal", "-shm"] {
        // What was written last may lie in them; without them the file stands for itself.
        let _ = fs::remove_file(place.path(&format!("state/history.db{suffix}")));
    }
    let theirs = b"These are the notes of somebody else.\n".repeat(200);
    fs::write(&file, &theirs).expect("it can be written");
    for arguments in [&["serve"][..], &["run", "fixture"], &["runs"], &["status"]] {
        let ended = place.sopwith(arguments);
        assert_ne!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        let says = |text: &str| ended.stderr.contains(text);
        assert!(
            says("history.db`: file is not a database; bring a copy of it back"),
            "{ended:?}"
        );
        assert!(
            fs::read(&file).expect("it is there") == theirs,
            "{arguments:?} touched it"
        );
    }
}

#[test]
fn a_second_host_of_one_data_directory_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    exerciser(&place, "fixture", "action = \"state\"\n");
    let service = place.serve();
    let second = place.sopwith(&["serve"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("another host (process "), "{second:?}");
    place.good(&["run", "fixture"]);
    assert_eq!(service.stop(), Some(0));
}
