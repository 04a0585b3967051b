//! The audit log is signed, anchored and retired while the host goes on.

use crate::support::{Act, Fault, Host, World, procedure};
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::{AuditHead, AuditRecord, Checkpoint, Follower, Line};
use sopwith_core::generation::Anchor;
use sopwith_core::port::operations::{AuditOperations as _, ExportRange};
use sopwith_core::port::{AuditLog as _, Clock as _, Store as _};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn world() -> World {
    World::new([procedure("clinic", "backup")])
}

/// A host that looks after its audit log, and what ends that.
fn start(world: &World) -> (Host, CancellationToken) {
    let host = world.start();
    let (engine, stop) = (host.engine.clone(), CancellationToken::new());
    let stopped = stop.clone();
    host.spawn(async move { engine.keep_audit_log(stopped).await });
    host.settle();
    (host, stop)
}

fn add(world: &World, host: &Host, entries: u64) {
    for number in 0..entries {
        let record = AuditRecord {
            at: world.clock.now(),
            actor: Actor::Host,
            action: "test.done".to_owned(),
            object: format!("test:{number}"),
            revision: None,
            payload: json!({ "number": number }),
        };
        host.ask(host.record().audit(record));
    }
}

fn signed(host: &Host) -> Vec<u64> {
    let checkpoints = host.ask(host.record().checkpoints(0, 1_000));
    checkpoints.iter().map(|one| one.statement.seq).collect()
}

/// The checkpoints that the anchor has, each of which holds.
fn heard(world: &World) -> Vec<Checkpoint> {
    let lines = String::from_utf8(world.notary.heard()).unwrap();
    let checkpoints = lines
        .lines()
        .map(|line| match serde_json::from_str(line).unwrap() {
            Line::Checkpoint(signed) => {
                assert!(signed.holds());
                signed.statement
            }
            other => panic!("{other:?}"),
        });
    checkpoints.collect()
}

fn anchored(mut world: World) -> World {
    let anchor = Anchor::File("/anchor".into());
    world.audit.anchors.insert("elsewhere".parse().unwrap(), anchor);
    world
}

fn holds(host: &Host) {
    let verdict = host.ask(host.desk().verify_audit(Vec::new()));
    assert_eq!((verdict.broken, verdict.unknown_keys), (None, vec![]));
}

#[test]
fn entries_are_signed_each_256_or_ten_minutes_and_all_at_the_end() {
    let world = world();
    let (host, stop) = start(&world);
    add(&world, &host, 600);
    host.advance_secs(2);
    assert_eq!(signed(&host), [256, 512]);
    host.advance_secs(590);
    assert_eq!(signed(&host), [256, 512]);
    host.advance_secs(10);
    assert_eq!(signed(&host), [256, 512, 600]);
    host.advance_secs(3_600);
    assert_eq!(signed(&host), [256, 512, 600], "there is nothing new");
    add(&world, &host, 1);
    stop.cancel();
    host.settle();
    assert_eq!(signed(&host), [256, 512, 600, 601]);
    holds(&host);
}

#[test]
fn the_next_host_goes_on_where_the_last_one_was_killed() {
    let world = world();
    let (host, _) = start(&world);
    add(&world, &host, 300);
    host.advance_secs(2);
    host.kill();
    let (host, _) = start(&world);
    add(&world, &host, 300);
    host.faults().next("add_checkpoint", Fault::AnswerLost);
    host.advance_secs(5);
    assert_eq!(signed(&host), [256, 512]);
    holds(&host);
}

#[test]
fn a_deaf_anchor_holds_nothing_up_and_misses_nothing() {
    let world = anchored(world());
    world.stage.then("backup", Act::Succeed);
    world.notary.is_deaf.store(true, SeqCst);
    let (host, _) = start(&world);
    add(&world, &host, 1_000);
    host.advance_secs(60);
    let tries = world.notary.tries.load(SeqCst);
    assert!((3..=8).contains(&tries), "{tries}");
    let id = host.submit("clinic").id();
    assert!(host.run(id).state.is_final());
    let status = host.ask(host.desk().audit_status()).anchors.remove(0);
    assert_eq!((status.seq, status.is_current), (None, false));
    assert!(status.problem.unwrap().contains("nobody hears"));

    host.kill();
    let (host, _) = start(&world);
    world.notary.is_deaf.store(false, SeqCst);
    host.advance_secs(600);
    let expected = signed(&host);
    let newest = expected.last().copied();
    let seen: Vec<_> = heard(&world).iter().map(|one| one.seq).collect();
    assert_eq!(seen.last().copied(), newest);
    assert!(expected.ends_with(&seen), "{seen:?} of {expected:?}");
    let status = host.ask(host.desk().audit_status()).anchors.remove(0);
    assert_eq!(
        (status.seq, status.is_current, status.problem),
        (newest, true, None)
    );

    // From now on it has each of them, whatever happens between.
    world.notary.is_deaf.store(true, SeqCst);
    add(&world, &host, 1_000);
    host.advance_secs(5);
    host.kill();
    let (host, _) = start(&world);
    world.notary.is_deaf.store(false, SeqCst);
    host.faults().next("set_anchored", Fault::AnswerLost);
    host.advance_secs(600);
    let seen: Vec<_> = heard(&world).iter().map(|one| one.seq).collect();
    assert!(signed(&host).ends_with(&seen), "{seen:?}");
}

#[test]
fn whoever_asks_anchors_at_once() {
    let world = anchored(world());
    let host = world.start();
    add(&world, &host, 3);
    let anchors = host.ask(host.desk().anchor_audit());
    assert!(anchors[0].is_current && anchors[0].seq == Some(4), "{anchors:?}");
    assert_eq!(heard(&world)[0].seq, 4);
}

#[test]
fn a_host_without_a_key_says_so_and_signs_once_it_has_one() {
    let world = world();
    world.notary.is_keyless.store(true, SeqCst);
    let (host, _) = start(&world);
    add(&world, &host, 300);
    host.advance_secs(5);
    let status = host.ask(host.desk().audit_status());
    assert!(status.problem.unwrap().contains("there is no key"));
    world.notary.is_keyless.store(false, SeqCst);
    host.advance_secs(5);
    assert_eq!(host.ask(host.desk().audit_status()).problem, None);
    assert_eq!(signed(&host), [256]);
}

#[test]
fn what_is_old_is_retired_and_the_rest_holds_from_its_tombstones_on() {
    let mut world = world();
    world.audit.keep = Duration::from_mins(10);
    let (host, _) = start(&world);
    for _ in 0..3 {
        add(&world, &host, 6 * 256);
        host.advance_secs(4 * 60);
    }
    let tombstones = host.ask(host.record().tombstones(0));
    let ranges: Vec<_> = tombstones
        .iter()
        .map(|one| (one.statement.first, one.statement.last))
        .collect();
    let segments: Vec<_> = (0..6)
        .map(|number| (number * 256 + 1, (number + 1) * 256))
        .collect();
    assert_eq!(ranges, segments);
    let verdict = host.ask(host.desk().verify_audit(Vec::new()));
    assert_eq!((verdict.broken, verdict.retired), (None, 1_536));
    let export = host.ask(host.desk().export_audit(ExportRange::default()));
    assert_eq!((export.header.statement.first, export.tombstones.len()), (1, 6));
    let left = host.ask(host.record().audit_entries(0, 1));
    assert_eq!(left[0].entry.seq, 1_537);
    assert!(signed(&host)[0] > 1_536);

    // It goes on from there, and entries that tell of others being retired are retired themselves.
    host.advance_secs(20 * 60);
    add(&world, &host, 600);
    host.advance_secs(20 * 60);
    holds(&host);
    let mut follower = Follower::new(AuditHead::default());
    for tombstone in host.ask(host.record().tombstones(0)) {
        follower.tombstone(&tombstone.statement).unwrap();
    }
    assert!(follower.retired() >= 3 * 1_536, "{}", follower.retired());
}

#[test]
fn the_details_of_an_entry_are_taken_away_once() {
    let world = world();
    let host = world.start();
    add(&world, &host, 3);
    let entry = host.ask(host.desk().redact_audit(2, " a name ".to_owned()));
    assert_eq!((entry.seq, entry.object.as_str()), (4, "audit:2"));
    let kept = host.ask(host.record().audit_entries(1, 1)).remove(0);
    assert_eq!(kept.payload, None);
    assert_eq!(kept.redaction.unwrap().statement.reason, "a name");
    holds(&host);
    let refused = |seq, reason: &str| {
        let (desk, reason) = (host.desk(), reason.to_owned());
        let asked = host.spawn(async move { desk.redact_audit(seq, reason).await });
        host.ended(asked).unwrap_err().message
    };
    assert!(refused(2, "again").contains("redacted already"));
    assert!(refused(4, "traces").contains("stays"));
    assert!(refused(3, " ").contains("needs a reason"));
    assert!(refused(99, "none").contains("there is no entry 99"));
}
