//! A host that dies at any moment leaves a history that is a beginning of what was done.

use super::operations::{Worker, block_on, operation};
use super::{Scene, invariants};
use crate::SqliteStore;
use proptest::prelude::*;
use sopwith_core::audit::{AuditEntry, AuditHead};
use sopwith_core::port::Store as _;
use std::fs;

/// What a crash leaves: the database, and the write-ahead log up to this share of its bytes.
pub(super) fn crashed(scene: &Scene, share: f64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::copy(scene.path(), &path).unwrap();
    let log = fs::read(scene.folder.path().join("history.db-wal")).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a small file"
    )]
    let kept = (log.len() as f64 * share) as usize;
    fs::write(folder.path().join("history.db-wal"), &log[..kept]).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    Scene { store, folder }
}

async fn chain(scene: &Scene) -> Vec<AuditEntry> {
    let entries = scene.store.audit_entries(0, u32::MAX).await.unwrap();
    entries.into_iter().map(|kept| kept.entry).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_crash_leaves_a_beginning_and_all_that_was_answered(
        operations in prop::collection::vec(operation(), 1..40),
        shares in prop::collection::vec(0.0..1.0_f64, 4),
    ) {
        block_on(async {
            let scene = Scene::new();
            Worker::new(&scene).work(operations).await;
            let done = chain(&scene).await;
            prop_assert_eq!(invariants::hold(&crashed(&scene, 1.0)).await.seq, done.len() as u64);
            for share in shares {
                let scene = crashed(&scene, share);
                invariants::hold(&scene).await;
                prop_assert!(done.starts_with(&chain(&scene).await));
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_history_that_was_cut_off_goes_on() {
    let scene = Scene::new();
    for number in 0..20 {
        scene.queue(number).await;
    }
    let scene = crashed(&scene, 0.9);
    let before = scene.store.audit_head().await.unwrap();
    assert!(
        AuditHead::default().seq < before.seq && before.seq < 20,
        "{before:?}"
    );
    scene.queue(99).await;
    assert_eq!(invariants::hold(&scene).await.seq, before.seq + 1);
}
