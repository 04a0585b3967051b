//! Tests of what plugins remember.

use super::{Scene, clinic, invariants};
use sopwith_core::port::{Store as _, StoreError, Stored};

const ROOM: u64 = 100;

async fn set(scene: &Scene, key: &str, bytes: usize, expected: Option<u64>) -> Stored<u64> {
    scene
        .store
        .set_state(&clinic(), key, vec![1; bytes], expected, ROOM)
        .await
}

#[tokio::test]
async fn a_value_changes_only_from_the_version_that_was_expected() {
    let scene = Scene::new();
    assert_eq!(set(&scene, "k", 1, Some(0)).await.unwrap(), 1);
    assert!(matches!(
        set(&scene, "k", 2, Some(0)).await,
        Err(StoreError::Conflict { found: 1 })
    ));
    assert_eq!(set(&scene, "k", 3, Some(1)).await.unwrap(), 2);
    assert_eq!(set(&scene, "k", 4, None).await.unwrap(), 3);
    let entry = scene.store.state(&clinic(), "k").await.unwrap().unwrap();
    assert_eq!((entry.value.len(), entry.version), (4, 3));
    scene.store.delete_state(&clinic(), "k").await.unwrap();
    assert_eq!(scene.store.state(&clinic(), "k").await.unwrap(), None);
    assert!(matches!(
        set(&scene, "k", 1, Some(3)).await,
        Err(StoreError::Conflict { found: 0 })
    ));
}

#[tokio::test]
async fn of_two_that_expect_the_same_version_one_is_refused() {
    let scene = Scene::new();
    let (first, second) = futures::join!(set(&scene, "k", 1, Some(0)), set(&scene, "k", 1, Some(0)));
    assert_eq!(first.unwrap(), 1);
    assert!(matches!(second, Err(StoreError::Conflict { found: 1 })));
}

#[tokio::test]
async fn keys_and_values_of_a_procedure_share_one_cap() {
    let scene = Scene::new();
    set(&scene, "kä", 60, None).await.unwrap();
    let refused = set(&scene, "other", 33, None).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::TooLarge {
                max: ROOM,
                wanted: 101
            })
        ),
        "{refused:?}"
    );
    set(&scene, "other", 32, None).await.unwrap();
    set(&scene, "kä", 60, None).await.unwrap();
    scene.store.delete_state(&clinic(), "other").await.unwrap();
    set(&scene, "kä", 97, None).await.unwrap();
    let elsewhere = "archive".parse().unwrap();
    scene
        .store
        .set_state(&elsewhere, "k", vec![0; 99], None, ROOM)
        .await
        .unwrap();
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn keys_are_listed_by_how_they_begin() {
    let scene = Scene::new();
    for key in ["b/2", "a", "b/1", "b", "b/", "c", "b%"] {
        set(&scene, key, 1, None).await.unwrap();
    }
    let keys = async |prefix: &str| scene.store.state_keys(&clinic(), prefix).await.unwrap();
    assert_eq!(keys("b/").await, ["b/", "b/1", "b/2"]);
    assert_eq!(keys("").await.len(), 7);
    assert!(keys("%").await.is_empty());
}
