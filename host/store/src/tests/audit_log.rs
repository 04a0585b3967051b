//! What belongs to the audit log beside its entries.

use super::{Scene, at as instant};
use crate::audit;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::{
    AuditRecord, Checkpoint, FORMAT, PublicKey, Redaction, Signature, Signed, Tombstone,
};
use sopwith_core::digest::Digest;
use sopwith_core::port::{AuditFilter, AuditLog as _, Store as _, StoreError};

fn record(second: i64, actor: Actor, action: &str, object: &str) -> AuditRecord {
    AuditRecord {
        at: instant(second),
        actor,
        action: action.to_owned(),
        object: object.to_owned(),
        revision: None,
        payload: json!({ "hush": "a name that nobody may know" }),
    }
}

fn user(name: &str) -> Actor {
    let name = name.to_owned();
    Actor::User { name, uid: 7 }
}

/// Whose signature it is the store does not ask.
fn signed<S>(statement: S) -> Signed<S> {
    Signed {
        statement,
        signature: Signature::from([0; 64]),
    }
}

fn key() -> PublicKey {
    PublicKey::from([0; 32])
}

fn checkpoint(seq: u64, previous: Option<u64>) -> Signed<Checkpoint> {
    signed(Checkpoint {
        at: instant(0),
        format: FORMAT,
        hash: Digest::of(""),
        key: key(),
        previous,
        seq,
    })
}

async fn with_entries(count: i64) -> Scene {
    let scene = Scene::new();
    for second in 1..=count {
        let record = record(second, Actor::Host, "test.done", &format!("test:{second}"));
        scene.store.audit(record).await.unwrap();
    }
    scene
}

#[tokio::test]
async fn entries_are_found_by_all_that_narrows_the_newest_first() {
    let scene = Scene::new();
    let records = [
        record(1, Actor::Host, "run.queued", "run:1"),
        record(2, user("ann"), "run.queued", "run:2"),
        record(3, user("bob"), "run.cancelled", "run:2"),
        record(3, Actor::Schedule, "run.queued", "run:3"),
        // The clock was turned back.
        record(2, user("ann"), "secret.set", "secret:x"),
    ];
    for record in records {
        scene.store.audit(record).await.unwrap();
    }
    for (narrowed, expected) in [
        (json!({}), &[5, 4, 3, 2, 1][..]),
        (json!({ "limit": 2 }), &[4, 3]),
        (json!({ "since": instant(2), "until": instant(3) }), &[5, 2]),
        (json!({ "actor": "user:ann" }), &[5, 2]),
        (json!({ "actor": "user" }), &[5, 3, 2]),
        (json!({ "actor": "schedule" }), &[4]),
        (json!({ "actor": "user:nobody" }), &[]),
        (json!({ "action": "run.queued" }), &[4, 2, 1]),
        (json!({ "action": "run.queued", "object": "run:2" }), &[2]),
        (json!({ "seq": 5 }), &[5]),
    ] {
        let filter: AuditFilter = serde_json::from_value(narrowed).unwrap();
        let found = scene.store.find_entries(&filter).await.unwrap();
        let found: Vec<_> = found.iter().map(|kept| kept.entry.seq).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn every_list_of_entries_is_a_page_and_no_scan() {
    let scene = with_entries(1).await;
    let connection = Connection::open(scene.path()).unwrap();
    for condition in [
        "audit.action = 'x'",
        "audit.object = 'x'",
        "audit.actor ->> 'kind' = 'user' AND audit.actor ->> 'name' = 'ann'",
        "TRUE",
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN {} WHERE audit.at >= 'a' AND audit.at < 'z' AND {condition}
             ORDER BY audit.at DESC, audit.seq DESC LIMIT 20",
            audit::SELECT
        );
        let mut select = connection.prepare(&sql).unwrap();
        let steps = select.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let steps = steps.map(Result::unwrap).collect::<Vec<_>>().join("\n");
        assert!(
            steps.contains("SEARCH audit USING INDEX audit_by_"),
            "{condition}: {steps}"
        );
        assert!(
            !steps.contains("TEMP B-TREE") && !steps.contains("SCAN audit\n"),
            "{condition}: {steps}"
        );
    }
}

#[tokio::test]
async fn each_checkpoint_follows_on_the_one_before_it() {
    let scene = with_entries(5).await;
    let store = &scene.store;
    store.add_checkpoint(checkpoint(2, None)).await.unwrap();
    for wrong in [checkpoint(3, None), checkpoint(3, Some(1)), checkpoint(2, None)] {
        let refused = store.add_checkpoint(wrong).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict { found: 2 }), "{refused}");
    }
    store.add_checkpoint(checkpoint(4, Some(2))).await.unwrap();
    assert_eq!(
        store.last_checkpoint().await.unwrap(),
        Some(checkpoint(4, Some(2)))
    );
    assert_eq!(store.checkpoints(2, 10).await.unwrap(), [checkpoint(4, Some(2))]);
    assert!(
        store.add_checkpoint(checkpoint(9, Some(4))).await.is_err(),
        "there is no such entry"
    );
}

#[tokio::test]
async fn a_payload_that_was_redacted_is_nowhere_in_the_file() {
    let scene = with_entries(3).await;
    let redaction = |seq| {
        signed(Redaction {
            actor: Actor::Host,
            at: instant(9),
            key: key(),
            payload_digest: Digest::of(""),
            reason: "a name".to_owned(),
            seq,
        })
    };
    for seq in 1..=3 {
        let record = AuditRecord {
            payload: json!({}),
            ..record(9, Actor::Host, "audit.redacted", "audit:1")
        };
        let entry = scene.store.redact(redaction(seq), record).await.unwrap();
        assert_eq!(entry.seq, 3 + seq);
    }
    let again = scene
        .store
        .redact(redaction(2), record(9, Actor::Host, "x", "y"))
        .await;
    assert!(matches!(again, Err(StoreError::Unfit(_))), "{again:?}");
    assert_eq!(
        scene.store.audit_head().await.unwrap().seq,
        6,
        "what failed left no entry"
    );
    let kept = scene.store.audit_entries(0, 3).await.unwrap();
    assert!(
        kept.iter()
            .all(|kept| kept.payload.is_none() && kept.redaction.is_some())
    );
    let path = scene.path();
    drop(scene.store);
    let file = std::fs::read(path).unwrap();
    let is_there = file.windows(20).any(|bytes| bytes == b"a name that nobody m");
    assert!(!is_there, "the bytes of the payload are still in the file");
}

#[tokio::test]
async fn entries_are_retired_with_all_that_is_theirs_or_not_at_all() {
    let scene = with_entries(10).await;
    let store = &scene.store;
    store.add_checkpoint(checkpoint(3, None)).await.unwrap();
    store.add_checkpoint(checkpoint(9, Some(3))).await.unwrap();
    let old = |before: i64, below, most| store.old_entries(instant(before), below, most);
    assert_eq!(old(1, 9, 10).await.unwrap(), None);
    let range = |old: sopwith_core::port::OldEntries| (old.first, old.last, old.count());
    assert_eq!(old(6, 9, 10).await.unwrap().map(range), Some((1, 5, 5)));
    assert_eq!(old(6, 3, 10).await.unwrap().map(range), Some((1, 2, 2)));
    let found = old(60, 9, 4).await.unwrap().unwrap();
    assert_eq!(range(found), (1, 4, 4));
    let tombstone = |count| {
        signed(Tombstone {
            at: instant(60),
            count,
            first: found.first,
            from: found.from,
            hash: found.hash,
            key: key(),
            last: found.last,
            previous: found.previous,
            to: found.to,
        })
    };
    let retired = |count| {
        store.retire(
            tombstone(count),
            record(60, Actor::Host, "audit.retired", "audit:1-4"),
        )
    };
    assert!(retired(5).await.is_err());
    assert_eq!(
        store.audit_entries(0, 1).await.unwrap()[0].entry.seq,
        1,
        "nothing is gone"
    );
    retired(4).await.unwrap();
    let left = store.audit_entries(0, 100).await.unwrap();
    assert_eq!((left[0].entry.seq, left[0].entry.previous), (5, found.hash));
    assert_eq!(left.last().unwrap().entry.action, "audit.retired");
    assert_eq!(store.checkpoints(0, 10).await.unwrap(), [checkpoint(9, Some(3))]);
    assert_eq!(store.tombstones(0).await.unwrap(), [tombstone(4)]);
    assert_eq!(store.tombstones(4).await.unwrap(), []);
}

#[tokio::test]
async fn what_an_anchor_has_is_known_to_the_next_host() {
    let scene = Scene::new();
    for (anchor, seq) in [("a", 3), ("b", 5), ("a", 7), ("a", 6)] {
        scene.store.set_anchored(anchor, seq).await.unwrap();
    }
    let anchored = scene.reopened().store.anchored().await.unwrap();
    assert_eq!(anchored, [("a".to_owned(), 7), ("b".to_owned(), 5)].into());
}

#[tokio::test]
async fn the_entries_of_a_time_are_those_between_its_ends() {
    let scene = with_entries(10).await;
    let between = |since: Option<i64>, until: Option<i64>| {
        let instant = |second: Option<i64>| second.map(|second| -> Timestamp { instant(second) });
        scene.store.entries_between(instant(since), instant(until))
    };
    assert_eq!(between(Some(3), Some(6)).await.unwrap(), Some((3, 5)));
    assert_eq!(between(None, None).await.unwrap(), Some((1, 10)));
    assert_eq!(between(Some(11), None).await.unwrap(), None);
}
