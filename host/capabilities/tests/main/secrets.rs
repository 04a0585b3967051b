//! What procedures and operators do with secrets.

use crate::world::{Counting, World, failure, kind};
use sopwith_core::actor::Actor;
use sopwith_core::failure::FailureKind;
use sopwith_core::journal::Note;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{SealedSecrets as _, SecretSet, SecretStatus, Store as _};
use sopwith_core::resource::Resources;
use sopwith_core::secret::{Secret, SecretStore, SecretValue, SecretVersion, Stage, VersionOrigin};
use std::collections::BTreeSet;

pub(crate) fn name() -> ResourceName {
    "TOKEN".parse().unwrap()
}

/// A world with a key and the secret TOKEN, which is granted in every way.
pub(crate) fn world(store: SecretStore) -> World {
    let mut world = World::new();
    let uses = BTreeSet::new();
    world.secrets = [(name(), Secret { store, uses })].into();
    world.secrets_used = [name()].into();
    world.secrets_revealed = [name()].into();
    world.key().make(&Counting::default()).unwrap();
    world
}

pub(crate) fn sealed() -> World {
    world(SecretStore::Sealed)
}

fn resources(world: &World) -> Resources {
    Resources {
        commands: world.commands.clone(),
        secrets: world.secrets.clone(),
        ..Resources::default()
    }
}

/// Sets TOKEN as an operator does.
pub(crate) async fn set(world: &World, value: &str) -> Answer<SecretSet> {
    let value = SecretValue::new(value.as_bytes().to_vec()).unwrap();
    let keeper = world.provider.secrets();
    keeper.set(&resources(world), &name(), value, &Actor::Host).await
}

/// How TOKEN stands, as an operator sees it.
pub(crate) async fn look(world: &World) -> SecretStatus {
    let keeper = world.provider.secrets();
    keeper.look(&resources(world)).await.remove(0)
}

async fn versions(world: &World) -> Vec<SecretVersion> {
    world.open().await.secrets().versions("TOKEN").await.unwrap()
}

async fn reveal(world: &World, version: &str) -> Answer<Vec<u8>> {
    let all = world.open().await;
    let value = all.secret_reveal().reveal("TOKEN", version).await?;
    Ok(value.expose().to_vec())
}

async fn put(world: &World, value: &str) -> Answer<String> {
    let all = world.open().await;
    all.secret_reveal().put("TOKEN", value.as_bytes().to_vec()).await
}

fn stages(versions: &[SecretVersion]) -> Vec<(&str, Stage)> {
    let shown = versions
        .iter()
        .map(|version| (version.id.as_str(), version.stage));
    shown.collect()
}

/// The audit log, without what the store wrote of the run itself.
async fn audited(world: &World) -> Vec<(String, serde_json::Value)> {
    let entries = world.store.audit_entries(0, 1_000).await.unwrap();
    let of_secrets = entries
        .into_iter()
        .filter(|kept| kept.entry.object == "secret:TOKEN");
    of_secrets
        .map(|kept| (kept.entry.action, kept.payload.unwrap()))
        .collect()
}

#[tokio::test]
async fn an_operator_sets_a_sealed_secret_and_a_procedure_sees_its_versions() {
    let world = sealed();
    assert_eq!(versions(&world).await, []);
    let first = set(&world, "hush-1").await.unwrap();
    let second = set(&world, "hush-2").await.unwrap();
    assert!(first.changed && second.changed);
    let seen = versions(&world).await;
    let expected = [
        (second.version.id.as_str(), Stage::Current),
        (first.version.id.as_str(), Stage::Previous),
    ];
    assert_eq!(stages(&seen), expected);
    assert_ne!(seen[0].fingerprint, seen[1].fingerprint);
    assert!(
        seen.iter()
            .all(|version| version.origin == VersionOrigin::Operator)
    );
    assert_eq!(reveal(&world, &first.version.id).await.unwrap(), b"hush-1");
    assert_eq!(reveal(&world, &second.version.id).await.unwrap(), b"hush-2");
}

#[tokio::test]
async fn the_value_that_is_current_already_is_not_set_again() {
    let world = sealed();
    let first = set(&world, "hush-1").await.unwrap();
    let again = set(&world, "hush-1").await.unwrap();
    assert_eq!((again.version.id, again.changed), (first.version.id, false));
    assert_eq!(versions(&world).await.len(), 1);
    set(&world, "hush-2").await.unwrap();
    let back = set(&world, "hush-1").await.unwrap();
    assert!(back.changed);
    let seen = versions(&world).await;
    assert_eq!(seen[0].fingerprint, seen[2].fingerprint, "equal for equal values");
}

#[tokio::test]
async fn what_is_set_revealed_and_put_is_audited_without_the_value() {
    let world = sealed();
    let set = set(&world, "hush-1").await.unwrap().version.id;
    reveal(&world, &set).await.unwrap();
    let put = put(&world, "hush-2").await.unwrap();
    let entries = audited(&world).await;
    let actions: Vec<_> = entries.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["secret.set", "secret.revealed", "secret.put"]);
    let ids: Vec<_> = entries
        .iter()
        .map(|(_, payload)| payload["version"].as_str())
        .collect();
    assert_eq!(ids, [Some(&*set), Some(&*set), Some(&*put)]);
    for (_, payload) in &entries[1..] {
        assert_eq!(payload["procedure"], "clinic");
        assert_eq!(payload["run"], world.run.to_string());
    }
    let whole = format!("{:?}{:?}", entries, world.notes().await);
    assert!(!whole.contains("hush"), "{whole}");
}

#[tokio::test]
async fn a_put_value_is_pending_and_kept_once() {
    let world = sealed();
    let first = put(&world, "hush-1").await.unwrap();
    assert_eq!(put(&world, "hush-1").await.unwrap(), first);
    let second = put(&world, "hush-2").await.unwrap();
    let seen = versions(&world).await;
    let expected = [
        (second.as_str(), Stage::Pending),
        (first.as_str(), Stage::Retired),
    ];
    assert_eq!(stages(&seen), expected);
    assert_eq!(seen[0].origin, VersionOrigin::Procedure);
    assert_eq!(reveal(&world, &second).await.unwrap(), b"hush-2");
    let changes = world.notes().await;
    let change = Note::Change {
        call: "secret-reveal.put".to_owned(),
        object: "secrets.TOKEN".to_owned(),
    };
    assert_eq!(changes.iter().filter(|note| **note == change).count(), 3);
}

#[tokio::test]
async fn a_dry_run_reveals_and_keeps_nothing() {
    let mut world = sealed();
    world.dry_run = true;
    let set = set(&world, "hush-1").await.unwrap().version.id;
    let all = world.open().await;
    let id = all
        .secret_reveal()
        .put("TOKEN", b"hush-2".to_vec())
        .await
        .unwrap();
    assert_eq!(
        kind(all.secret_reveal().reveal("TOKEN", &id).await),
        FailureKind::Planned
    );
    assert_eq!(reveal(&world, &set).await.unwrap(), b"hush-1");
    assert_eq!(versions(&world).await.len(), 1);
    let notes = world.notes().await;
    let planned = notes.iter().filter(|note| matches!(note, Note::Planned { .. }));
    assert_eq!(planned.count(), 1);
    let entries = audited(&world).await;
    assert_eq!((entries.len(), &entries[1].1["dry_run"]), (2, &true.into()));
}

#[tokio::test]
async fn what_a_plugin_puts_is_masked_in_its_run_alone() {
    for dry_run in [false, true] {
        let mut world = sealed();
        world.dry_run = dry_run;
        put(&world, "running").await.unwrap();
        let all = world.open().await;
        assert_eq!(all.journal().masked("running"), "running", "another attempt");
        let id = all
            .secret_reveal()
            .put("TOKEN", b"hush-hush".to_vec())
            .await
            .unwrap();
        assert_eq!(all.journal().masked("hush-hush"), "[redacted]");
        let later = world.open().await;
        if !dry_run {
            later.secret_reveal().reveal("TOKEN", &id).await.unwrap();
            assert_eq!(later.journal().masked("hush-hush"), "[redacted]");
        }
    }
}

#[tokio::test]
async fn no_number_of_puts_takes_a_secret_out_of_masking() {
    for dry_run in [false, true] {
        let mut world = sealed();
        world.dry_run = dry_run;
        let id = set(&world, "hush-hush").await.unwrap().version.id;
        let all = world.open().await;
        all.secret_reveal().reveal("TOKEN", &id).await.unwrap();
        for number in 0..40 {
            let value = format!("value-{number}").into_bytes();
            all.secret_reveal().put("TOKEN", value).await.unwrap();
        }
        for all in [all, world.open().await] {
            assert_eq!(all.journal().masked("it is hush-hush"), "it is [redacted]");
        }
    }
}

#[tokio::test]
async fn working_with_a_secret_and_seeing_it_are_granted_apart() {
    let mut world = sealed();
    let id = set(&world, "hush-1").await.unwrap().version.id;
    world.secrets_revealed.clear();
    let denied = failure(reveal(&world, &id).await);
    assert_eq!(denied.kind, FailureKind::Denied);
    assert_eq!(
        denied.hint.unwrap(),
        "add under [grants]:  secret_reveal = [\"TOKEN\"]"
    );
    assert_eq!(kind(put(&world, "hush-2").await), FailureKind::Denied);
    assert_eq!(versions(&world).await.len(), 1);

    world.secrets_revealed.insert(name());
    world.secrets_used.clear();
    let all = world.open().await;
    assert_eq!(kind(all.secrets().versions("TOKEN").await), FailureKind::Denied);
    assert_eq!(reveal(&world, &id).await.unwrap(), b"hush-1");
    assert_eq!(audited(&world).await.len(), 2, "a denied call reveals nothing");
}

#[tokio::test]
async fn a_revealed_value_is_masked_in_what_the_run_leaves() {
    let world = sealed();
    let id = set(&world, "hush-hush").await.unwrap().version.id;
    let all = world.open().await;
    all.secret_reveal().reveal("TOKEN", &id).await.unwrap();
    let journal = all.journal();
    journal.log("info", "it is hush-hush", Vec::new()).await;
    let encoded = "aHVzaC1odXNo";
    journal.log("info", &format!("it is {encoded}"), Vec::new()).await;
    let notes = format!("{:?}", world.notes().await);
    assert!(notes.contains("it is [redacted]"), "{notes}");
    assert!(
        !notes.contains("hush-hush") && !notes.contains(encoded),
        "{notes}"
    );
}

#[tokio::test]
async fn a_secret_that_a_run_does_not_use_is_masked_in_it_too() {
    let mut world = sealed();
    set(&world, "hush-hush").await.unwrap();
    world.restart();
    let all = world.open().await;
    all.journal().log("info", "it is hush-hush", Vec::new()).await;
    let notes = format!("{:?}", world.notes().await);
    assert!(!notes.contains("hush-hush"), "{notes}");
}

#[tokio::test]
async fn values_have_bounds() {
    let world = sealed();
    let largest = "x".repeat(SecretValue::BYTES_MAX);
    put(&world, &largest).await.unwrap();
    for bad in ["", &format!("{largest}x")] {
        assert_eq!(kind(put(&world, bad).await), FailureKind::Invalid);
    }
    let id = put(&world, "a\nb\0c").await.unwrap();
    assert_eq!(reveal(&world, &id).await.unwrap(), b"a\nb\0c");
}

#[tokio::test]
async fn without_a_key_nothing_is_sealed_and_it_is_said_what_makes_one() {
    let world = sealed();
    let id = set(&world, "hush-1").await.unwrap().version.id;
    let key = world.key().path().to_owned();
    std::fs::rename(&key, world.root().join("elsewhere")).unwrap();
    for failed in [
        failure(set(&world, "hush-2").await.map(drop)),
        failure(put(&world, "hush-2").await.map(drop)),
        failure(reveal(&world, &id).await.map(drop)),
    ] {
        assert!(failed.message.contains("the host has no key"), "{failed}");
        let hint = failed.hint.unwrap();
        assert!(hint.contains("sopwith secrets init-key"), "{hint}");
    }
    assert_eq!(versions(&world).await.len(), 1, "what is known needs no key");
    let status = look(&world).await;
    assert!(!status.is_set && status.problem.is_some());
    std::fs::rename(world.root().join("elsewhere"), &key).unwrap();
    assert_eq!(reveal(&world, &id).await.unwrap(), b"hush-1");
}

#[tokio::test]
async fn another_key_opens_nothing_and_a_new_value_is_sealed_with_it() {
    let world = sealed();
    set(&world, "hush-1").await.unwrap();
    let old = world.key().read().unwrap().unwrap().sealing_public();
    std::fs::remove_file(world.key().path()).unwrap();
    let new = world.key().make(&Counting::default()).unwrap().sealing_public();
    let problem = look(&world).await.problem.unwrap();
    assert!(
        problem.message.contains(&old) && problem.message.contains(&new),
        "{problem}"
    );
    let hint = problem.hint.unwrap();
    assert!(hint.contains("sopwith secrets set TOKEN"), "{hint}");
    let id = set(&world, "hush-1").await.unwrap().version.id;
    assert_eq!(reveal(&world, &id).await.unwrap(), b"hush-1");
    assert_eq!(look(&world).await.problem, None);
}

#[tokio::test]
async fn exchanged_rows_of_the_record_are_refused() {
    let world = sealed();
    let first = set(&world, "hush-1").await.unwrap().version.id;
    let second = set(&world, "hush-2").await.unwrap().version.id;
    let kept = world.store.sealed(&name(), &first).await.unwrap().unwrap();
    let record = rusqlite::Connection::open(world.root().join("history.db")).unwrap();
    let changed = record.execute(
        "UPDATE sealed_secret SET sealed = ?1 WHERE id = ?2",
        (&kept.sealed, &second),
    );
    assert_eq!(changed.unwrap(), 1);
    let refused = failure(reveal(&world, &second).await);
    assert!(
        refused.message.contains("somebody changed or exchanged it"),
        "{refused}"
    );
    assert_eq!(reveal(&world, &first).await.unwrap(), b"hush-1");
    let renamed = record.execute(
        "UPDATE sealed_secret SET secret = 'OTHER' WHERE id = ?1",
        [&first],
    );
    assert_eq!(renamed.unwrap(), 1);
    let other: ResourceName = "OTHER".parse().unwrap();
    let world = World {
        secrets: [(other.clone(), world.secrets[&name()].clone())].into(),
        secrets_revealed: [other].into(),
        ..world
    };
    let all = world.open().await;
    let refused = failure(all.secret_reveal().reveal("OTHER", &first).await);
    assert!(
        refused.message.contains("somebody changed or exchanged it"),
        "{refused}"
    );
}

#[tokio::test]
async fn of_two_operators_at_once_both_values_are_kept() {
    let world = sealed();
    let (first, second) = tokio::join!(set(&world, "hush-1"), set(&world, "hush-2"));
    let ids = [first.unwrap().version.id, second.unwrap().version.id];
    let seen = versions(&world).await;
    let mut stages: Vec<_> = seen.iter().map(|version| version.stage).collect();
    stages.sort_by_key(|stage| stage.as_str());
    assert_eq!(stages, [Stage::Current, Stage::Previous]);
    assert!(ids.iter().all(|id| seen.iter().any(|version| version.id == *id)));
}

#[tokio::test]
async fn a_version_that_is_not_there_is_told() {
    let world = sealed();
    let missing = failure(reveal(&world, "01k").await);
    assert_eq!(missing.kind, FailureKind::NotFound);
    assert_eq!(missing.message, "the secret `TOKEN` has no version `01k`");
}
