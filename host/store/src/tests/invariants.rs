//! What holds of every history, whatever was done and wherever it was cut off.

use super::Scene;
use jiff::Timestamp;
use rusqlite::Connection;
use sopwith_core::audit::AuditHead;
use sopwith_core::port::{RunFilter, Store as _};
use sopwith_core::run::Run;

/// Checks everything, and returns the end of the audit log.
pub(super) async fn hold(scene: &Scene) -> AuditHead {
    let head = chain_holds(scene).await;
    let connection = Connection::open(scene.path()).unwrap();
    runs_are_the_sum_of_their_events(scene, &connection).await;
    each_tick_has_one_row(&connection);
    for (what, wrong) in [
        (
            "pages and indices",
            "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        ),
        ("references", "SELECT count(*) FROM pragma_foreign_key_check"),
        (
            "sizes of state",
            "SELECT count(*) FROM state_size WHERE bytes <>
                 (SELECT coalesce(sum(octet_length(key) + length(value)), 0) FROM state
                  WHERE state.procedure = state_size.procedure)",
        ),
        (
            "an audit entry for each event",
            "SELECT abs((SELECT count(*) FROM event) - (SELECT count(*) FROM audit WHERE action LIKE 'run.%'))",
        ),
        (
            "an audit entry for each sealed value",
            "SELECT abs((SELECT count(*) FROM sealed_secret)
                 - (SELECT count(*) FROM audit WHERE action IN ('secret.set', 'secret.put')))",
        ),
        (
            "numbers of lines without gaps",
            "SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY run HAVING max(number) <> count(*))",
        ),
    ] {
        let count: i64 = connection.query_row(wrong, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{what}");
    }
    head
}

async fn chain_holds(scene: &Scene) -> AuditHead {
    let entries = scene.store.audit_entries(0, u32::MAX).await.unwrap();
    assert!(entries.iter().all(|kept| kept.payload.is_some()));
    let head = entries
        .iter()
        .try_fold(AuditHead::default(), AuditHead::follow)
        .unwrap();
    assert_eq!(head, scene.store.audit_head().await.unwrap());
    head
}

async fn runs_are_the_sum_of_their_events(scene: &Scene, connection: &Connection) {
    for run in scene.store.runs(&RunFilter::default()).await.unwrap() {
        let events = scene.store.events(run.id()).await.unwrap();
        assert_eq!(Run::replay(events).unwrap().as_ref(), Some(&run));
        let columns = connection
            .query_row(
                "SELECT state, verdict, epoch, passed_at IS NOT NULL FROM run WHERE id = ?1",
                [run.id().to_string()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap();
        let expected: (String, Option<String>, u64, bool) = (
            run.state.to_string(),
            run.verdict().map(|verdict| verdict.to_string()),
            run.epoch,
            run.passed() && !run.queued.dry_run,
        );
        assert_eq!(columns, expected, "{}", run.id());
    }
}

/// Ranges and runs of a schedule, in order, do not overlap.
fn each_tick_has_one_row(connection: &Connection) {
    let mut select = connection
        .prepare(
            "SELECT procedure || '/' || schedule, first, last FROM tick_range
             UNION ALL
             SELECT procedure || '/' || schedule, nominal_at, nominal_at FROM run WHERE schedule IS NOT NULL
             ORDER BY 1, 2",
        )
        .unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows: Vec<(String, String, String)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    for pair in rows.windows(2) {
        let apart = pair[0].0 != pair[1].0 || instant(&pair[0].2) < instant(&pair[1].1);
        assert!(apart, "two rows for one tick: {pair:?}");
    }
}
