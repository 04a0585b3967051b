//! The digests of compiled plugins.

use super::Scene;
use crate::SqliteStore;
use sopwith_core::digest::Digest;
use sopwith_core::port::Artefacts as _;
use std::collections::BTreeMap;

fn changes(changes: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<Digest>> {
    let changes = changes.iter();
    changes
        .map(|(name, content)| ((*name).to_owned(), content.map(Digest::of)))
        .collect()
}

#[tokio::test]
async fn digests_are_kept_replaced_and_forgotten() {
    let scene = Scene::new();
    let first = changes(&[("a", Some("1")), ("b", Some("2")), ("c", Some("3"))]);
    scene.store.set_artefacts(first).await.unwrap();
    let second = changes(&[("a", None), ("b", Some("4")), ("never", None)]);
    scene.store.set_artefacts(second).await.unwrap();
    let scene = scene.reopened();
    let expected = BTreeMap::from(
        [("b", "4"), ("c", "3")].map(|(name, content)| (name.to_owned(), Digest::of(content))),
    );
    assert_eq!(scene.store.artefacts().await.unwrap(), expected);
}

#[tokio::test]
async fn a_record_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    assert!(SqliteStore::open_existing(&path).unwrap().is_none());
    assert!(!path.exists());
    drop(SqliteStore::open(&path).unwrap());
    assert!(SqliteStore::open_existing(&path).unwrap().is_some());
}
