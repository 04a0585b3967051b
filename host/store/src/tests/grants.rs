//! Tests of the sums of how grants were used.

use super::{Scene, at, clinic, entry, id};
use sopwith_core::grant::{Access, Denial, GrantUse, ResourceKind, Wanted};
use sopwith_core::journal::Note;
use sopwith_core::port::Store as _;

fn used(times: u64) -> Note {
    Note::Used {
        uses: vec![GrantUse {
            kind: ResourceKind::Databases,
            name: "app".parse().unwrap(),
            access: Access::Read,
            call: "sql.open".to_owned(),
            times,
        }],
    }
}

fn denied(name: &str) -> Note {
    Note::Denied(Denial {
        wanted: Wanted::database(name, Access::Replace),
        why: "the procedure does not grant it".to_owned(),
        hint: "add a line".to_owned(),
    })
}

#[tokio::test]
async fn uses_and_denials_are_summed_up_over_runs_and_survive_a_restart() {
    let scene = Scene::new();
    for (number, times) in [(1, 2), (2, 5)] {
        scene.queue(number).await;
        let entries = vec![entry(i64::from(number), used(times)), entry(9, denied("app"))];
        scene.store.record(id(number), entries).await.unwrap();
    }
    let scene = scene.reopened();
    let history = scene.store.grant_history(&clinic()).await.unwrap();
    assert_eq!(history.since, Some(at(1)));
    let [used] = history.uses.as_slice() else {
        panic!("{:?}", history.uses)
    };
    assert_eq!((used.used.times, used.last_at, used.last_run), (7, at(2), id(2)));
    let [denied] = history.denials.as_slice() else {
        panic!("{:?}", history.denials)
    };
    assert_eq!((denied.times, denied.denial.hint.as_str()), (2, "add a line"));
}

#[tokio::test]
async fn a_flood_of_made_up_names_is_kept_as_far_as_a_bound_and_known_ones_still_count() {
    let scene = Scene::new();
    scene.queue(1).await;
    let flood = (0..1_200).map(|number| entry(1, denied(&format!("made-up-{number}"))));
    let entries = flood.chain([entry(2, denied("made-up-0"))]).collect();
    scene.store.record(id(1), entries).await.unwrap();
    let denials = scene.store.grant_history(&clinic()).await.unwrap().denials;
    assert_eq!(denials.len(), 1_000);
    assert_eq!(denials[0].times, 2);
}
