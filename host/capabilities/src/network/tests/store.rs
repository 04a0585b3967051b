//! A store that keeps the record of runs, and nothing else.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::FinishedSteps;
use sopwith_core::audit::{AuditEntry, AuditHead, AuditRecord, KeptEntry};
use sopwith_core::digest::Digest;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::name::{ActionName, ProcedureName, ScheduleName};
use sopwith_core::port::capabilities::{OpenFinding, StateEntry};
use sopwith_core::port::{
    Attachment, Claim, Claimed, FailuresInARow, Follower, GrantHistory, Owed, Pause, PauseScope, RunFilter,
    ScheduleRow, Scheduling, Start, Started, Store, StoreError, Stored, TickOutcome,
};
use sopwith_core::run::{Queued, Run, RunEvent, RunId};
use std::sync::Mutex;

/// Keeps what was recorded.
#[derive(Default)]
pub(super) struct RecordingStore {
    notes: Mutex<Vec<Note>>,
}

impl RecordingStore {
    /// What was recorded, in order.
    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.lock().unwrap().clone()
    }
}

fn not_kept<T>() -> Stored<T> {
    Err(StoreError::Broken("only the record is kept".to_owned()))
}

#[async_trait]
impl Store for RecordingStore {
    async fn record(&self, run: RunId, entries: Vec<JournalEntry>) -> Stored<()> {
        self.record_soon(run, entries);
        Ok(())
    }
    fn record_soon(&self, _: RunId, entries: Vec<JournalEntry>) {
        let mut notes = self.notes.lock().unwrap();
        notes.extend(entries.into_iter().map(|entry| entry.note));
    }

    async fn queue(&self, _: Queued) -> Stored<Run> {
        not_kept()
    }
    async fn apply(&self, _: RunId, _: u64, _: RunEvent, _: &Actor) -> Stored<Run> {
        not_kept()
    }
    async fn run(&self, _: RunId) -> Stored<Option<Run>> {
        not_kept()
    }
    async fn runs_like(&self, _: &str) -> Stored<Vec<Run>> {
        not_kept()
    }
    async fn runs(&self, _: &RunFilter) -> Stored<Vec<Run>> {
        not_kept()
    }
    async fn unfinished(&self) -> Stored<Vec<Run>> {
        not_kept()
    }
    async fn called_by(&self, _: RunId) -> Stored<Vec<Run>> {
        not_kept()
    }
    async fn events(&self, _: RunId) -> Stored<Vec<RunEvent>> {
        not_kept()
    }
    async fn last_passed(&self, _: &ProcedureName, _: &ActionName) -> Stored<Option<Run>> {
        not_kept()
    }
    async fn previous_success(&self, _: &ProcedureName, _: &ActionName) -> Stored<Option<Timestamp>> {
        not_kept()
    }
    async fn journal(&self, _: RunId, _: u64, _: u32) -> Stored<Vec<(u64, JournalEntry)>> {
        not_kept()
    }
    async fn finished_steps(&self, _: RunId) -> Stored<FinishedSteps> {
        not_kept()
    }
    async fn attach(&self, _: RunId, _: Attachment, _: JournalEntry) -> Stored<()> {
        not_kept()
    }
    async fn attachments(&self, _: RunId) -> Stored<Vec<Attachment>> {
        not_kept()
    }
    async fn open_findings_count(&self, _: &ProcedureName) -> Stored<u64> {
        not_kept()
    }

    async fn open_findings(&self, _: &ProcedureName, _: Option<&str>) -> Stored<Vec<OpenFinding>> {
        not_kept()
    }
    async fn grant_history(&self, _: &ProcedureName) -> Stored<GrantHistory> {
        not_kept()
    }
    async fn set_schedules(
        &self,
        _: &[(ProcedureName, ScheduleName, Digest)],
        _: Timestamp,
    ) -> Stored<Vec<ScheduleRow>> {
        not_kept()
    }
    async fn schedules(&self) -> Stored<Vec<ScheduleRow>> {
        not_kept()
    }
    async fn claim(&self, _: Claim) -> Stored<Claimed> {
        not_kept()
    }
    async fn ticks(
        &self,
        _: &ProcedureName,
        _: &ScheduleName,
        _: Timestamp,
        _: Timestamp,
    ) -> Stored<Vec<TickOutcome>> {
        not_kept()
    }
    async fn state(&self, _: &ProcedureName, _: &str) -> Stored<Option<StateEntry>> {
        not_kept()
    }
    async fn set_state(&self, _: &ProcedureName, _: &str, _: Vec<u8>, _: Option<u64>, _: u64) -> Stored<u64> {
        not_kept()
    }
    async fn delete_state(&self, _: &ProcedureName, _: &str) -> Stored<()> {
        not_kept()
    }
    async fn state_keys(&self, _: &ProcedureName, _: &str) -> Stored<Vec<String>> {
        not_kept()
    }
    async fn state_bytes(&self, _: &ProcedureName) -> Stored<u64> {
        not_kept()
    }
    async fn audit(&self, _: AuditRecord) -> Stored<AuditEntry> {
        not_kept()
    }
    async fn audit_entries(&self, _: u64, _: u32) -> Stored<Vec<KeptEntry>> {
        not_kept()
    }
    async fn audit_head(&self) -> Stored<AuditHead> {
        not_kept()
    }
}

#[async_trait]
impl Scheduling for RecordingStore {
    async fn pause(&self, _: Pause) -> Stored<bool> {
        not_kept()
    }
    async fn resume(&self, _: &PauseScope, _: &Actor, _: Timestamp) -> Stored<Vec<Pause>> {
        not_kept()
    }
    async fn pauses(&self) -> Stored<Vec<Pause>> {
        not_kept()
    }
    async fn failures_in_a_row(&self) -> Stored<Vec<FailuresInARow>> {
        not_kept()
    }
    async fn set_followers(&self, _: Vec<Follower>) -> Stored<()> {
        not_kept()
    }
    async fn owed(&self) -> Stored<Vec<Owed>> {
        not_kept()
    }
    async fn forget_owed(&self, _: Owed, _: Timestamp) -> Stored<()> {
        not_kept()
    }
    async fn start(&self, _: Start) -> Stored<Started> {
        not_kept()
    }
}
