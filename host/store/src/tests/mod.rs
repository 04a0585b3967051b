//! Tests of the store as a whole, with what they share.

mod artefacts;
mod audit_log;
mod claims;
mod crash;
mod disk;
mod findings;
mod grants;
mod invariants;
mod journal;
mod operations;
mod pruning;
mod runs;
mod sealed;
mod search;
mod state;
mod writer;

use crate::SqliteStore;
use jiff::Timestamp;
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::limits::Usage;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::capabilities::Finding;
use sopwith_core::port::{Store as _, StoreError};
use sopwith_core::run::{AttemptEnd, Queued, Report, Run, RunEvent, RunId, Trigger, Verdict};
use std::path::PathBuf;
use tempfile::TempDir;

/// A store in a folder of its own.
struct Scene {
    store: SqliteStore,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("history.db")).unwrap();
        Self { store, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn reopened(self) -> Self {
        let path = self.path();
        drop(self.store);
        let store = SqliteStore::open(&path).unwrap();
        Self {
            store,
            folder: self.folder,
        }
    }

    async fn queue(&self, number: u32) -> Run {
        self.store.queue(queued(number)).await.unwrap()
    }

    async fn apply(&self, run: &Run, event: RunEvent) -> Result<Run, StoreError> {
        self.store.apply(run.id(), run.epoch, event, &Actor::Host).await
    }

    /// Brings a run to an end that passed, at this second.
    async fn pass(&self, run: &Run, second: i64) -> Run {
        let run = self
            .apply(run, RunEvent::AttemptStarted { at: at(second) })
            .await
            .unwrap();
        self.apply(&run, succeeded(second, Verdict::Ok)).await.unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn clinic() -> ProcedureName {
    "clinic".parse().unwrap()
}

fn check() -> ActionName {
    "check".parse().unwrap()
}

fn id(number: u32) -> RunId {
    RunId::new(at(i64::from(number)), u128::from(number))
}

fn queued(number: u32) -> Queued {
    Queued {
        id: id(number),
        procedure: clinic(),
        action: check(),
        trigger: Trigger::Manual,
        actor: Actor::User {
            name: "ada".to_owned(),
            uid: 1_000,
        },
        dry_run: false,
        plugin: "smoke".parse().unwrap(),
        plugin_digest: Digest::of("plugin"),
        revision: Digest::of("revision"),
        settings: json!({ "ratio": 0.1, "share": 1.0 / 3.0, "huge": 1e300 }),
        inputs: json!({ "pages": ["/", "/login"] }),
        queued_at: at(i64::from(number)),
        key: None,
        retry_of: None,
        lent: [].into(),
        gate: None,
        start_by: None,
    }
}

fn succeeded(second: i64, verdict: Verdict) -> RunEvent {
    RunEvent::Succeeded {
        at: at(second),
        report: Report {
            verdict,
            summary: "looked at".to_owned(),
            output: json!({ "took": 0.1 + 0.2 }),
            extra: Vec::new(),
        },
        usage: Usage::default(),
    }
}

fn failed(second: i64, cause: AttemptEnd) -> RunEvent {
    RunEvent::AttemptFailed {
        at: at(second),
        cause,
        failure: Failure::host("it broke").hint("mend it"),
        retry_at: None,
        usage: None,
    }
}

fn entry(second: i64, note: Note) -> JournalEntry {
    JournalEntry {
        at: at(second),
        attempt: 1,
        note,
    }
}

fn log(message: &str) -> JournalEntry {
    entry(
        0,
        Note::Log {
            level: "info".to_owned(),
            message: message.to_owned(),
            fields: vec![("host".to_owned(), "web-1".to_owned())],
        },
    )
}

fn finding(check: &str, subject: &str) -> Finding {
    Finding {
        check: check.to_owned(),
        severity: "high".to_owned(),
        subject: subject.to_owned(),
        title: format!("{subject} is bad"),
        detail: String::new(),
        fix: None,
        extra: Vec::new(),
    }
}
