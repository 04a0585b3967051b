//! The real store, with faults.

use super::faults::Faults;
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::FinishedSteps;
use sopwith_core::audit::{AuditEntry, AuditHead, AuditRecord, KeptEntry};
use sopwith_core::digest::Digest;
use sopwith_core::journal::JournalEntry;
use sopwith_core::name::{ActionName, ProcedureName, ScheduleName};
use sopwith_core::port::capabilities::{OpenFinding, StateEntry};
use sopwith_core::port::{
    Attachment, Claim, Claimed, FailuresInARow, Follower, GrantHistory, Owed, Pause, PauseScope, Place,
    Portion, Pruned, Pruning, RunFilter, ScheduleRow, Scheduling, Start, Started, Store, Stored, TickOutcome,
};
use sopwith_core::run::{Queued, Run, RunEvent, RunId};
use sopwith_store::SqliteStore;

/// The real store, with faults.
pub(crate) struct FaultyStore {
    pub(crate) real: SqliteStore,
    pub(crate) faults: Faults,
}

#[async_trait]
impl Pruning for FaultyStore {
    async fn recorded_procedures(&self) -> Stored<Vec<ProcedureName>> {
        let asked = self.real.recorded_procedures();
        self.faults.pass("recorded_procedures", asked).await
    }

    async fn kept_from(&self, procedure: &ProcedureName, since: Timestamp, runs: u32) -> Stored<Place> {
        let asked = self.real.kept_from(procedure, since, runs);
        self.faults.pass("kept_from", asked).await
    }

    async fn prune(&self, portion: Portion) -> Stored<Pruned> {
        self.faults.pass("prune", self.real.prune(portion)).await
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn queue(&self, queued: Queued) -> Stored<Run> {
        self.faults.pass("queue", self.real.queue(queued)).await
    }

    async fn apply(&self, id: RunId, epoch: u64, event: RunEvent, actor: &Actor) -> Stored<Run> {
        let call = event.as_str();
        self.faults
            .pass(call, self.real.apply(id, epoch, event, actor))
            .await
    }

    async fn run(&self, id: RunId) -> Stored<Option<Run>> {
        self.faults.pass("run", self.real.run(id)).await
    }

    async fn runs_like(&self, text: &str) -> Stored<Vec<Run>> {
        self.faults.pass("runs_like", self.real.runs_like(text)).await
    }

    async fn runs(&self, filter: &RunFilter) -> Stored<Vec<Run>> {
        self.faults.pass("runs", self.real.runs(filter)).await
    }

    async fn unfinished(&self) -> Stored<Vec<Run>> {
        self.faults.pass("unfinished", self.real.unfinished()).await
    }

    async fn called_by(&self, caller: RunId) -> Stored<Vec<Run>> {
        self.faults.pass("called_by", self.real.called_by(caller)).await
    }

    async fn events(&self, id: RunId) -> Stored<Vec<RunEvent>> {
        self.faults.pass("events", self.real.events(id)).await
    }

    async fn last_passed(&self, procedure: &ProcedureName, action: &ActionName) -> Stored<Option<Run>> {
        let work = self.real.last_passed(procedure, action);
        self.faults.pass("last_passed", work).await
    }

    async fn previous_success(
        &self,
        procedure: &ProcedureName,
        action: &ActionName,
    ) -> Stored<Option<Timestamp>> {
        let work = self.real.previous_success(procedure, action);
        self.faults.pass("previous_success", work).await
    }

    async fn record(&self, run: RunId, entries: Vec<JournalEntry>) -> Stored<()> {
        self.faults.pass("record", self.real.record(run, entries)).await
    }

    fn record_soon(&self, run: RunId, entries: Vec<JournalEntry>) {
        self.real.record_soon(run, entries);
    }

    async fn journal(&self, run: RunId, after: u64, limit: u32) -> Stored<Vec<(u64, JournalEntry)>> {
        let work = self.real.journal(run, after, limit);
        self.faults.pass("journal", work).await
    }

    async fn finished_steps(&self, run: RunId) -> Stored<FinishedSteps> {
        let work = self.real.finished_steps(run);
        self.faults.pass("finished_steps", work).await
    }

    async fn attach(&self, run: RunId, attachment: Attachment, entry: JournalEntry) -> Stored<()> {
        let work = self.real.attach(run, attachment, entry);
        self.faults.pass("attach", work).await
    }

    async fn attachments(&self, run: RunId) -> Stored<Vec<Attachment>> {
        self.faults.pass("attachments", self.real.attachments(run)).await
    }

    async fn open_findings(
        &self,
        procedure: &ProcedureName,
        check: Option<&str>,
    ) -> Stored<Vec<OpenFinding>> {
        let work = self.real.open_findings(procedure, check);
        self.faults.pass("open_findings", work).await
    }

    async fn open_findings_count(&self, procedure: &ProcedureName) -> Stored<u64> {
        let work = self.real.open_findings_count(procedure);
        self.faults.pass("open_findings_count", work).await
    }

    async fn grant_history(&self, procedure: &ProcedureName) -> Stored<GrantHistory> {
        let work = self.real.grant_history(procedure);
        self.faults.pass("grant_history", work).await
    }

    async fn set_schedules(
        &self,
        schedules: &[(ProcedureName, ScheduleName, Digest)],
        now: Timestamp,
    ) -> Stored<Vec<ScheduleRow>> {
        let work = self.real.set_schedules(schedules, now);
        self.faults.pass("set_schedules", work).await
    }

    async fn schedules(&self) -> Stored<Vec<ScheduleRow>> {
        self.faults.pass("schedules", self.real.schedules()).await
    }

    async fn claim(&self, claim: Claim) -> Stored<Claimed> {
        self.faults.pass("claim", self.real.claim(claim)).await
    }

    async fn ticks(
        &self,
        procedure: &ProcedureName,
        schedule: &ScheduleName,
        from: Timestamp,
        to: Timestamp,
    ) -> Stored<Vec<TickOutcome>> {
        let work = self.real.ticks(procedure, schedule, from, to);
        self.faults.pass("ticks", work).await
    }

    async fn state(&self, procedure: &ProcedureName, key: &str) -> Stored<Option<StateEntry>> {
        self.faults.pass("state", self.real.state(procedure, key)).await
    }

    async fn set_state(
        &self,
        procedure: &ProcedureName,
        key: &str,
        value: Vec<u8>,
        expected: Option<u64>,
        bytes_max: u64,
    ) -> Stored<u64> {
        let work = self.real.set_state(procedure, key, value, expected, bytes_max);
        self.faults.pass("set_state", work).await
    }

    async fn delete_state(&self, procedure: &ProcedureName, key: &str) -> Stored<()> {
        let work = self.real.delete_state(procedure, key);
        self.faults.pass("delete_state", work).await
    }

    async fn state_keys(&self, procedure: &ProcedureName, prefix: &str) -> Stored<Vec<String>> {
        let work = self.real.state_keys(procedure, prefix);
        self.faults.pass("state_keys", work).await
    }

    async fn state_bytes(&self, procedure: &ProcedureName) -> Stored<u64> {
        let work = self.real.state_bytes(procedure);
        self.faults.pass("state_bytes", work).await
    }

    async fn audit(&self, record: AuditRecord) -> Stored<AuditEntry> {
        self.faults.pass("audit", self.real.audit(record)).await
    }

    async fn audit_entries(&self, after: u64, limit: u32) -> Stored<Vec<KeptEntry>> {
        let work = self.real.audit_entries(after, limit);
        self.faults.pass("audit_entries", work).await
    }

    async fn audit_head(&self) -> Stored<AuditHead> {
        self.faults.pass("audit_head", self.real.audit_head()).await
    }
}

#[async_trait]
impl Scheduling for FaultyStore {
    async fn pause(&self, pause: Pause) -> Stored<bool> {
        self.faults.pass("pause", self.real.pause(pause)).await
    }

    async fn resume(&self, scope: &PauseScope, by: &Actor, at: Timestamp) -> Stored<Vec<Pause>> {
        self.faults.pass("resume", self.real.resume(scope, by, at)).await
    }

    async fn pauses(&self) -> Stored<Vec<Pause>> {
        self.faults.pass("pauses", self.real.pauses()).await
    }

    async fn failures_in_a_row(&self) -> Stored<Vec<FailuresInARow>> {
        let work = self.real.failures_in_a_row();
        self.faults.pass("failures_in_a_row", work).await
    }

    async fn set_followers(&self, followers: Vec<Follower>) -> Stored<()> {
        let work = self.real.set_followers(followers);
        self.faults.pass("set_followers", work).await
    }

    async fn owed(&self) -> Stored<Vec<Owed>> {
        self.faults.pass("owed", self.real.owed()).await
    }

    async fn forget_owed(&self, owed: Owed, at: Timestamp) -> Stored<()> {
        let work = self.real.forget_owed(owed, at);
        self.faults.pass("forget_owed", work).await
    }

    async fn start(&self, start: Start) -> Stored<Started> {
        self.faults.pass("start", self.real.start(start)).await
    }
}
