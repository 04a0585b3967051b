//! Hostile plugins against a real host: each attack ends in time and is told for what it is, while
//! others keep theirs.

mod arena;
mod attacks;
#[expect(dead_code, reason = "the sandbox has more of them")]
#[path = "../../host/sandbox/tests/main/hostile.rs"]
mod bombs;
mod dropped_in;
mod growth;
#[expect(dead_code, reason = "the sandbox needs more of them")]
#[path = "../../host/sandbox/tests/main/guests.rs"]
mod guests;
pub(crate) mod manifests;
mod memory;

use crate::place::Place;
use arena::Arena;
use attacks::{Attack, End};
use sopwith_core::failure::{Blame, Failure};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// The limit that ended a run, or else what was said.
fn reason(failure: &Failure) -> &str {
    let limit = failure.extra.iter().find(|(name, _)| name == "limit");
    limit.map_or(&failure.message, |(_, limit)| limit)
}

/// The attack ends as it has to, and in time.
fn check(attack: Attack) {
    let Attack {
        procedure,
        action,
        end,
    } = attack;
    let End::Repelled(kind, why) = end else {
        return Arena::shared().withstood(procedure, action);
    };
    let failure = Arena::shared().repelled(procedure, action);
    assert!(reason(&failure).starts_with(why), "`{action}`: {failure:?}");
    assert_eq!(
        (failure.kind, failure.blame),
        (kind, Blame::Plugin),
        "`{action}`: {failure:?}"
    );
}

#[test]
fn every_action_of_the_fixture_is_an_attack_of_the_list() {
    let place = Place::new();
    place.drop_in("hostile", "hostile");
    let shown = place.json(&["plugins", "show", "hostile"]);
    let actions = shown["manifest"]["actions"].as_array().expect("a list");
    let actions: BTreeSet<_> = actions
        .iter()
        .filter_map(|action| action["name"].as_str())
        .collect();
    let written = |attack: &Attack| matches!(attack.procedure, "memories" | "tables" | "dropped");
    let listed: BTreeSet<_> = attacks::all()
        .filter(|attack| !written(attack))
        .map(|attack| attack.action)
        .collect();
    assert_eq!(actions, listed);
}

#[test]
fn change_of_files_through_wasi() {
    let arena = Arena::shared();
    arena.withstood("writing", "change");
    let large = fs::read(arena.place.path("data/large")).expect("the file");
    assert_eq!(large.len(), 200_000);
}

#[test]
fn command_that_leaves_its_line() {
    let arena = Arena::shared();
    arena.withstood("attacks", "leave-the-line");
    let traces = fs::read_dir(arena.place.path("workshop")).expect("the folder");
    assert_eq!(traces.count(), 0);
}

#[test]
fn rename_race() {
    let arena = Arena::shared();
    let data = arena.place.path("data");
    let ended = Arc::new(AtomicBool::new(false));
    let swapper = {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            let beside = data.join("beside");
            while !ended.load(Relaxed) {
                for (file, directory) in [("../outside/secret", "../outside"), ("large", "real")] {
                    for (target, name) in [(file, "swapped"), (directory, "swapped-directory")] {
                        symlink(target, &beside).expect("a link");
                        fs::rename(&beside, data.join(name)).expect("a rename");
                    }
                }
            }
        })
    };
    arena.withstood("attacks", "race");
    ended.store(true, Relaxed);
    swapper.join().expect("the thread that swaps");
}

#[test]
fn tricks_on_a_terminal() {
    let arena = Arena::shared();
    let run = arena.attack("attacks", "terminal").id().to_string();
    for command in ["show", "logs"] {
        let shown = arena.place.good(&[command, &run]);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(harmful), "{command}: {shown:?}");
    }
}
