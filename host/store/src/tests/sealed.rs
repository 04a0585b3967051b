//! Tests of the sealed values of secrets.

use super::crash::crashed;
use super::{Scene, at, invariants};
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::name::ResourceName;
use sopwith_core::port::{SealedSecrets as _, SealedVersion, Store as _, StoreError, Stored};
use sopwith_core::secret::{SecretVersion, Stage, VersionOrigin};

const VERSIONS_MAX: u64 = 5;

fn token() -> ResourceName {
    "TOKEN".parse().unwrap()
}

/// Adds a version whose id, value and fingerprint are this number.
async fn add(scene: &Scene, stage: Stage, number: i64) -> Stored<SecretVersion> {
    let origin = match stage {
        Stage::Current => VersionOrigin::Operator,
        _ => VersionOrigin::Procedure,
    };
    let version = SecretVersion {
        id: format!("id-{number}"),
        stage,
        created_at: at(number),
        fingerprint: number.to_string(),
        origin,
    };
    let added = SealedVersion {
        version,
        key: "age1key".to_owned(),
        sealed: vec![u8::try_from(number).unwrap()],
    };
    let record = AuditRecord {
        at: at(number),
        actor: Actor::Host,
        action: "secret.set".to_owned(),
        object: "secret:TOKEN".to_owned(),
        revision: None,
        payload: json!({ "version": added.version.id }),
    };
    scene
        .store
        .add_sealed(&token(), added, VERSIONS_MAX, record)
        .await
}

async fn stages(scene: &Scene) -> Vec<String> {
    let versions = scene.store.sealed_versions(&token()).await.unwrap();
    let shown = versions
        .iter()
        .map(|version| format!("{} {}", version.id, version.stage));
    shown.collect()
}

#[tokio::test]
async fn a_new_version_moves_the_others_on_and_all_survive_a_restart() {
    let scene = Scene::new();
    for (stage, number) in [
        (Stage::Current, 1),
        (Stage::Pending, 2),
        (Stage::Current, 3),
        (Stage::Pending, 4),
        (Stage::Current, 5),
    ] {
        add(&scene, stage, number).await.unwrap();
    }
    let scene = scene.reopened();
    let expected = [
        "id-5 current",
        "id-4 pending",
        "id-3 previous",
        "id-2 retired",
        "id-1 retired",
    ];
    assert_eq!(stages(&scene).await, expected);
    let kept = scene.store.sealed(&token(), "id-4").await.unwrap().unwrap();
    assert_eq!((kept.key.as_str(), kept.sealed.as_slice()), ("age1key", &[4][..]));
    assert_eq!(kept.version.origin, VersionOrigin::Procedure);
    assert_eq!(scene.store.sealed(&token(), "id-9").await.unwrap(), None);
    let elsewhere: ResourceName = "OTHER".parse().unwrap();
    assert_eq!(scene.store.sealed(&elsewhere, "id-4").await.unwrap(), None);
    let used = scene.store.versions_in_use().await.unwrap();
    let used: Vec<_> = used.into_iter().map(|(_, id)| id).collect();
    assert_eq!(used, ["id-3", "id-5"]);
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn the_value_that_is_there_already_is_not_added_again() {
    let scene = Scene::new();
    add(&scene, Stage::Current, 1).await.unwrap();
    let again = add(&scene, Stage::Current, 1).await.unwrap();
    assert_eq!(again.id, "id-1");
    add(&scene, Stage::Pending, 2).await.unwrap();
    add(&scene, Stage::Pending, 2).await.unwrap();
    assert_eq!(stages(&scene).await, ["id-2 pending", "id-1 current"]);
    assert_eq!(scene.store.audit_head().await.unwrap().seq, 2);
}

#[tokio::test]
async fn procedures_cannot_take_the_room_of_operators() {
    let scene = Scene::new();
    for number in 1..=5 {
        add(&scene, Stage::Pending, number).await.unwrap();
    }
    let refused = add(&scene, Stage::Pending, 6).await;
    assert!(
        matches!(refused, Err(StoreError::Full { max: VERSIONS_MAX })),
        "{refused:?}"
    );
    add(&scene, Stage::Current, 7).await.unwrap();
    assert_eq!(stages(&scene).await.len(), 6);
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn of_two_at_once_both_are_kept_and_one_is_current() {
    let scene = Scene::new();
    let (first, second) = futures::join!(add(&scene, Stage::Current, 1), add(&scene, Stage::Current, 2));
    first.unwrap();
    second.unwrap();
    assert_eq!(stages(&scene).await, ["id-2 current", "id-1 previous"]);
}

#[tokio::test]
async fn a_crash_leaves_the_old_version_current_or_the_new_one() {
    let scene = Scene::new();
    for number in 1..=3 {
        add(&scene, Stage::Current, number).await.unwrap();
    }
    let all = stages(&scene).await;
    assert_eq!(stages(&crashed(&scene, 1.0)).await, all);
    for share in [0.9, 0.7, 0.5] {
        let scene = crashed(&scene, share);
        let kept = stages(&scene).await;
        let current = kept.iter().filter(|version| version.ends_with("current"));
        assert_eq!(current.count(), usize::from(!kept.is_empty()), "{kept:?}");
        invariants::hold(&scene).await;
    }
}
