//! Random work on a store, refused work included.

use super::{Scene, at, entry, failed, finding, invariants, log, queued, succeeded};
use proptest::prelude::*;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{Claim, NoRun, Store as _, StoreError, TickRange};
use sopwith_core::run::{AttemptEnd, Queued, RunEvent, Trigger, Verdict};
use sopwith_core::schedule::Overlap;

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Queue {
        dry_run: bool,
    },
    Apply {
        run: usize,
        event: RunEvent,
        late: bool,
    },
    Record {
        run: usize,
        note: Note,
        wait: bool,
    },
    SetState {
        key: String,
        bytes: usize,
        expected: Option<u64>,
    },
    DeleteState {
        key: String,
    },
    SetSchedules {
        revision: u8,
    },
    Claim {
        missed: i64,
        runs: bool,
    },
    Audit,
}

fn event() -> impl Strategy<Value = RunEvent> {
    prop_oneof![
        4 => Just(RunEvent::AttemptStarted { at: at(1) }),
        2 => Just(succeeded(2, Verdict::Ok)),
        1 => Just(succeeded(2, Verdict::Critical)),
        1 => Just(failed(2, AttemptEnd::TimedOut)),
        1 => Just(RunEvent::Interrupted { at: at(2), reason: "the host ended".to_owned() }),
        1 => Just(RunEvent::CancelRequested { at: at(2), by: Actor::Host, replaced_by: None }),
        1 => Just(RunEvent::Cancelled { at: at(2), failure: Failure::cancelled() }),
    ]
}

fn note() -> impl Strategy<Value = Note> {
    let name = prop_oneof![Just("a"), Just("b")];
    prop_oneof![
        Just(log("hello").note),
        name.clone()
            .prop_map(|subject| Note::Finding(finding("pages/answer", subject))),
        Just(Note::Checked {
            check: "pages/answer".to_owned(),
            subjects: 2
        }),
        name.prop_map(|name| Note::StepFinished {
            name: name.to_owned(),
            output: 0.3.into()
        }),
    ]
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let key = prop_oneof![Just("a".to_owned()), Just("ä".to_owned()), Just("b/c".to_owned())];
    let state = (key.clone(), 0..60_usize, prop::option::of(0..3_u64));
    prop_oneof![
        3 => any::<bool>().prop_map(|dry_run| Operation::Queue { dry_run }),
        6 => (any::<prop::sample::Index>(), event(), prop::bool::weighted(0.1))
            .prop_map(|(run, event, late)| Operation::Apply { run: run.index(8), event, late }),
        4 => (0..8_usize, note(), any::<bool>())
            .prop_map(|(run, note, wait)| Operation::Record { run, note, wait }),
        2 => state.prop_map(|(key, bytes, expected)| Operation::SetState { key, bytes, expected }),
        1 => key.prop_map(|key| Operation::DeleteState { key }),
        1 => (0..3_u8).prop_map(|revision| Operation::SetSchedules { revision }),
        4 => (0..3_i64, any::<bool>()).prop_map(|(missed, runs)| Operation::Claim { missed, runs }),
        1 => Just(Operation::Audit),
    ]
}

/// Carries out operations, each of which may be refused, but not for a broken store.
pub(super) struct Worker<'a> {
    scene: &'a Scene,
    made: u32,
}

impl<'a> Worker<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        Self { scene, made: 0 }
    }

    pub(super) async fn work(&mut self, operations: Vec<Operation>) {
        for operation in operations {
            if let Err(StoreError::Broken(why)) = self.carry_out(operation.clone()).await {
                panic!("{operation:?}: {why}");
            }
        }
    }

    pub(super) async fn carry_out(&mut self, operation: Operation) -> Result<(), StoreError> {
        let store = &self.scene.store;
        match operation {
            Operation::Queue { dry_run } => {
                let queued = self.next(Trigger::Manual);
                store.queue(Queued { dry_run, ..queued }).await.map(drop)
            }
            Operation::Apply { run, event, late } => {
                let id = super::id(u32::try_from(run).unwrap());
                let epoch = store.run(id).await?.map_or(1, |run| run.epoch) - u64::from(late);
                store.apply(id, epoch, event, &Actor::Host).await.map(drop)
            }
            Operation::Record { run, note, wait } => {
                let id = super::id(u32::try_from(run).unwrap());
                let entries = vec![entry(3, note), log("and more")];
                if wait {
                    return store.record(id, entries).await;
                }
                store.record_soon(id, entries);
                Ok(())
            }
            Operation::SetState { key, bytes, expected } => {
                let clinic = super::clinic();
                store
                    .set_state(&clinic, &key, vec![7; bytes], expected, 100)
                    .await
                    .map(drop)
            }
            Operation::DeleteState { key } => store.delete_state(&super::clinic(), &key).await,
            Operation::SetSchedules { revision } => self.set_schedules(revision).await,
            Operation::Claim { missed, runs } => self.claim(missed, runs).await,
            Operation::Audit => store.audit(outside()).await.map(drop),
        }
    }

    fn next(&mut self, trigger: Trigger) -> Queued {
        let number = self.made;
        self.made += 1;
        Queued {
            trigger,
            ..queued(number)
        }
    }

    /// One schedule: edited, unchanged or gone.
    async fn set_schedules(&mut self, revision: u8) -> Result<(), StoreError> {
        let tick = "tick".parse().unwrap();
        let rows = self.scene.store.schedules().await?;
        // Time goes on, so an edited schedule starts after what was claimed.
        let newest = rows.iter().map(|row| row.cursor).max();
        let now = newest.unwrap_or(at(i64::from(self.made) * 100_000));
        // The next one after one that is gone starts later, too.
        self.made += u32::from(revision == 0);
        let schedule: (ProcedureName, _, _) = (super::clinic(), tick, Digest::of([revision]));
        let wanted: &[_] = if revision == 0 { &[] } else { &[schedule] };
        self.scene.store.set_schedules(wanted, now).await.map(drop)
    }

    /// Claims minutes: some that were missed, and one that may run.
    async fn claim(&mut self, missed: i64, runs: bool) -> Result<(), StoreError> {
        let Some(seen) = self.scene.store.schedules().await?.pop() else {
            return Ok(());
        };
        let minute = |count: i64| seen.cursor + jiff::SignedDuration::from_mins(count);
        let range = TickRange {
            first: minute(1),
            last: minute(missed),
            count: u64::try_from(missed).unwrap(),
            reason: NoRun::Downtime,
        };
        let cursor = minute(missed + i64::from(runs));
        let trigger = Trigger::Schedule {
            schedule: seen.schedule.clone(),
            nominal_at: cursor,
        };
        let claim = Claim {
            runs: runs.then(|| self.next(trigger)).into_iter().collect(),
            overlap: Overlap::Forbid,
            ranges: (missed > 0).then_some(range).into_iter().collect(),
            cursor,
            at: cursor,
            seen,
        };
        self.scene.store.claim(claim).await.map(drop)
    }
}

fn outside() -> AuditRecord {
    AuditRecord {
        at: at(4),
        actor: Actor::Host,
        action: "configuration.accepted".to_owned(),
        object: "configuration".to_owned(),
        revision: None,
        payload: serde_json::json!({ "share": 1.0 / 3.0, "files": ["a.toml"] }),
    }
}

/// Runs asynchronous work of a test that is random.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_done_runs_are_their_events_and_the_chain_holds(
        operations in prop::collection::vec(operation(), 0..60)
    ) {
        block_on(async {
            let scene = Scene::new();
            Worker::new(&scene).work(operations).await;
            let head = invariants::hold(&scene).await;
            prop_assert_eq!(invariants::hold(&scene.reopened()).await, head);
            Ok(())
        })?;
    }
}
