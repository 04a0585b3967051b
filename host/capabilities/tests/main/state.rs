//! State that outlives a run, and state that a dry run only pretends.

use crate::world::{World, kind};
use sopwith_core::failure::FailureKind;
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::port::Store as _;

#[tokio::test]
async fn a_value_is_set_only_where_its_version_is_the_expected_one() {
    let world = World::new();
    let all = world.open().await;
    let state = all.state();
    assert_eq!(state.set("a", b"1".to_vec(), Some(0)).await.unwrap(), 1);
    assert_eq!(
        kind(state.set("a", b"2".to_vec(), Some(0)).await),
        FailureKind::Conflict
    );
    assert_eq!(state.set("a", b"2".to_vec(), Some(1)).await.unwrap(), 2);
    assert_eq!(state.get("a").await.unwrap().unwrap().value, b"2");
    assert_eq!(kind(state.set("", Vec::new(), None).await), FailureKind::Invalid);
    state.delete("a").await.unwrap();
    assert_eq!(state.get("a").await.unwrap(), None);
}

#[tokio::test]
async fn state_does_not_grow_beyond_its_limit_in_a_dry_run_either() {
    for dry_run in [false, true] {
        let limits = Limits {
            state_bytes: 100,
            ..Limits::default()
        };
        let world = World {
            limits,
            dry_run,
            ..World::new()
        };
        let all = world.open().await;
        all.state().set("a", vec![0; 60], None).await.unwrap();
        assert_eq!(
            kind(all.state().set("b", vec![0; 60], None).await),
            FailureKind::Limit
        );
        all.state().set("a", vec![0; 90], None).await.unwrap();
    }
}

#[tokio::test]
async fn a_dry_run_reads_back_what_it_set_and_leaves_the_state_as_it_was() {
    let world = World {
        dry_run: true,
        ..World::new()
    };
    let procedure = "clinic".parse().unwrap();
    world
        .store
        .set_state(&procedure, "kept", b"old".to_vec(), None, 1_000)
        .await
        .unwrap();
    let all = world.open().await;
    let state = all.state();
    assert_eq!(state.set("kept", b"new".to_vec(), Some(1)).await.unwrap(), 2);
    assert_eq!(
        kind(state.set("kept", b"again".to_vec(), Some(1)).await),
        FailureKind::Conflict
    );
    state.set("more", b"x".to_vec(), Some(0)).await.unwrap();
    assert_eq!(state.keys("").await.unwrap(), ["kept", "more"]);
    state.delete("kept").await.unwrap();
    assert_eq!(state.get("kept").await.unwrap(), None);
    assert_eq!(state.keys("").await.unwrap(), ["more"]);

    let stored = world.store.state(&procedure, "kept").await.unwrap().unwrap();
    assert_eq!((stored.value, stored.version), (b"old".to_vec(), 1));
    assert_eq!(world.store.state_keys(&procedure, "").await.unwrap(), ["kept"]);
    let planned = world
        .notes()
        .await
        .into_iter()
        .filter(|note| matches!(note, Note::Planned { .. }));
    assert_eq!(planned.count(), 4);
}

#[tokio::test]
async fn a_dry_run_remembers_nothing_of_what_it_deleted_and_was_not_there() {
    let world = World {
        dry_run: true,
        ..World::new()
    };
    let all = world.open().await;
    let state = all.state();
    state.set("made", b"x".to_vec(), None).await.unwrap();
    for key in ["made", "missing"] {
        state.delete(key).await.unwrap();
        assert_eq!(state.get(key).await.unwrap(), None);
        let procedure = "clinic".parse().unwrap();
        let set = world.store.set_state(&procedure, key, b"y".to_vec(), None, 1_000);
        set.await.unwrap();
        assert_eq!(state.get(key).await.unwrap().unwrap().value, b"y");
    }
}
