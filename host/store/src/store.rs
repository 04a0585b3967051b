//! The port, on one file of SQLite.

use crate::reader::Readers;
use crate::schema;
use crate::soon::Soon;
use crate::writer::Writer;
use crate::{
    artefacts, audit, claims, findings, grants, journal, pruning, runs, schedules, sealed, search, state,
    ticks,
};
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::FinishedSteps;
use sopwith_core::audit::{AuditEntry, AuditHead, AuditRecord, KeptEntry};
use sopwith_core::digest::Digest;
use sopwith_core::journal::JournalEntry;
use sopwith_core::name::{ActionName, ProcedureName, ResourceName, ScheduleName};
use sopwith_core::port::capabilities::{OpenFinding, StateEntry};
use sopwith_core::port::{
    Artefacts, Attachment, Claim, Claimed, GrantHistory, Place, Portion, Pruned, Pruning, RunFilter,
    ScheduleRow, SealedSecrets, SealedVersion, Store, Stored, TickOutcome,
};
use sopwith_core::run::{Queued, Run, RunEvent, RunId};
use sopwith_core::secret::SecretVersion;
use std::collections::BTreeMap;
use std::path::Path;

/// The host's memory in one file of SQLite. Dropped, it waits until all is written.
pub struct SqliteStore {
    pub(crate) writer: Writer,
    soon: Soon,
    pub(crate) readers: Readers,
}

impl SqliteStore {
    /// Opens the history, and makes it where there is none; refuses one of a newer version.
    pub fn open(path: &Path) -> Stored<Self> {
        let soon = Soon::new();
        Ok(Self {
            writer: Writer::start(path, soon.notices())?,
            soon,
            readers: Readers::new(path.to_owned()),
        })
    }

    /// Opens the history where there is one of this very version. It makes none, and changes none
    /// of an older version: that is for the host, and not for who only looks.
    pub fn open_existing(path: &Path) -> Stored<Option<Self>> {
        if schema::is_current(path)? {
            Self::open(path).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn queue(&self, queued: Queued) -> Stored<Run> {
        self.writer
            .write(move |connection| runs::queue(connection, queued))
            .await
    }

    async fn apply(&self, id: RunId, epoch: u64, event: RunEvent, actor: &Actor) -> Stored<Run> {
        let actor = actor.clone();
        self.writer
            .write(move |connection| runs::apply(connection, id, epoch, &event, &actor))
            .await
    }

    async fn run(&self, id: RunId) -> Stored<Option<Run>> {
        self.readers
            .read(move |connection| runs::find(connection, id))
            .await
    }

    async fn runs_like(&self, text: &str) -> Stored<Vec<Run>> {
        let text = text.to_owned();
        self.readers
            .read(move |connection| search::runs_like(connection, &text))
            .await
    }

    async fn runs(&self, filter: &RunFilter) -> Stored<Vec<Run>> {
        let filter = filter.clone();
        self.readers
            .read(move |connection| search::runs(connection, &filter))
            .await
    }

    async fn unfinished(&self) -> Stored<Vec<Run>> {
        self.readers.read(search::unfinished).await
    }

    async fn called_by(&self, caller: RunId) -> Stored<Vec<Run>> {
        self.readers
            .read(move |connection| runs::called_by(connection, caller))
            .await
    }

    async fn events(&self, id: RunId) -> Stored<Vec<RunEvent>> {
        self.readers
            .read(move |connection| runs::events(connection, id))
            .await
    }

    async fn last_passed(&self, procedure: &ProcedureName, action: &ActionName) -> Stored<Option<Run>> {
        let (procedure, action) = (procedure.clone(), action.clone());
        self.readers
            .read(move |connection| search::last_passed(connection, &procedure, &action))
            .await
    }

    async fn previous_success(
        &self,
        procedure: &ProcedureName,
        action: &ActionName,
    ) -> Stored<Option<Timestamp>> {
        let (procedure, action) = (procedure.clone(), action.clone());
        self.readers
            .read(move |connection| search::previous_success(connection, &procedure, &action))
            .await
    }

    async fn record(&self, run: RunId, entries: Vec<JournalEntry>) -> Stored<()> {
        let lines = journal::lines(&entries)?;
        self.writer
            .write(move |connection| journal::append(connection, run, &lines))
            .await
    }

    fn record_soon(&self, run: RunId, entries: Vec<JournalEntry>) {
        self.soon.record(&self.writer, run, &entries);
    }

    async fn journal(&self, run: RunId, after: u64, limit: u32) -> Stored<Vec<(u64, JournalEntry)>> {
        self.readers
            .read(move |connection| journal::read(connection, run, after, limit))
            .await
    }

    async fn finished_steps(&self, run: RunId) -> Stored<FinishedSteps> {
        self.readers
            .read(move |connection| journal::finished_steps(connection, run))
            .await
    }

    async fn attach(&self, run: RunId, attachment: Attachment, entry: JournalEntry) -> Stored<()> {
        let line = journal::lines(&[entry])?;
        self.writer
            .write(move |connection| journal::attach(connection, run, &attachment, &line))
            .await
    }

    async fn attachments(&self, run: RunId) -> Stored<Vec<Attachment>> {
        self.readers
            .read(move |connection| journal::attachments(connection, run))
            .await
    }

    async fn open_findings(
        &self,
        procedure: &ProcedureName,
        check: Option<&str>,
    ) -> Stored<Vec<OpenFinding>> {
        let (procedure, check) = (procedure.clone(), check.map(str::to_owned));
        self.readers
            .read(move |connection| findings::open(connection, &procedure, check.as_deref()))
            .await
    }

    async fn open_findings_count(&self, procedure: &ProcedureName) -> Stored<u64> {
        let procedure = procedure.clone();
        self.readers
            .read(move |connection| findings::count(connection, &procedure))
            .await
    }

    async fn grant_history(&self, procedure: &ProcedureName) -> Stored<GrantHistory> {
        let procedure = procedure.clone();
        self.readers
            .read(move |connection| grants::history(connection, &procedure))
            .await
    }

    async fn set_schedules(
        &self,
        schedules: &[(ProcedureName, ScheduleName, Digest)],
        now: Timestamp,
    ) -> Stored<Vec<ScheduleRow>> {
        let wanted = schedules.to_vec();
        self.writer
            .write(move |connection| schedules::set(connection, &wanted, now))
            .await
    }

    async fn schedules(&self) -> Stored<Vec<ScheduleRow>> {
        self.readers.read(schedules::all).await
    }

    async fn claim(&self, claim: Claim) -> Stored<Claimed> {
        self.writer
            .write(move |connection| claims::claim(connection, claim))
            .await
    }

    async fn ticks(
        &self,
        procedure: &ProcedureName,
        schedule: &ScheduleName,
        from: Timestamp,
        to: Timestamp,
    ) -> Stored<Vec<TickOutcome>> {
        let (procedure, schedule) = (procedure.clone(), schedule.clone());
        self.readers
            .read(move |connection| ticks::ticks(connection, &procedure, &schedule, from, to))
            .await
    }

    async fn state(&self, procedure: &ProcedureName, key: &str) -> Stored<Option<StateEntry>> {
        let (procedure, key) = (procedure.clone(), key.to_owned());
        self.readers
            .read(move |connection| state::get(connection, &procedure, &key))
            .await
    }

    async fn set_state(
        &self,
        procedure: &ProcedureName,
        key: &str,
        value: Vec<u8>,
        expected: Option<u64>,
        bytes_max: u64,
    ) -> Stored<u64> {
        let (procedure, key) = (procedure.clone(), key.to_owned());
        self.writer
            .write(move |connection| state::set(connection, &procedure, &key, &value, expected, bytes_max))
            .await
    }

    async fn delete_state(&self, procedure: &ProcedureName, key: &str) -> Stored<()> {
        let (procedure, key) = (procedure.clone(), key.to_owned());
        self.writer
            .write(move |connection| state::delete(connection, &procedure, &key))
            .await
    }

    async fn state_keys(&self, procedure: &ProcedureName, prefix: &str) -> Stored<Vec<String>> {
        let (procedure, prefix) = (procedure.clone(), prefix.to_owned());
        self.readers
            .read(move |connection| state::keys(connection, &procedure, &prefix))
            .await
    }

    async fn state_bytes(&self, procedure: &ProcedureName) -> Stored<u64> {
        let procedure = procedure.clone();
        self.readers
            .read(move |connection| state::size(connection, &procedure))
            .await
    }

    async fn audit(&self, record: AuditRecord) -> Stored<AuditEntry> {
        self.writer
            .write(move |connection| audit::append(connection, &record))
            .await
    }

    async fn audit_entries(&self, after: u64, limit: u32) -> Stored<Vec<KeptEntry>> {
        self.readers
            .read(move |connection| audit::entries(connection, after, limit))
            .await
    }

    async fn audit_head(&self) -> Stored<AuditHead> {
        self.readers.read(audit::head).await
    }
}

#[async_trait]
impl Artefacts for SqliteStore {
    async fn artefacts(&self) -> Stored<BTreeMap<String, Digest>> {
        self.readers.read(artefacts::all).await
    }

    async fn set_artefacts(&self, changes: BTreeMap<String, Option<Digest>>) -> Stored<()> {
        self.writer
            .write(move |connection| artefacts::set(connection, &changes))
            .await
    }
}

#[async_trait]
impl Pruning for SqliteStore {
    async fn recorded_procedures(&self) -> Stored<Vec<ProcedureName>> {
        self.readers.read(pruning::recorded_procedures).await
    }

    async fn kept_from(&self, procedure: &ProcedureName, since: Timestamp, runs: u32) -> Stored<Place> {
        let procedure = procedure.clone();
        self.readers
            .read(move |connection| pruning::kept_from(connection, &procedure, since, runs))
            .await
    }

    async fn prune(&self, portion: Portion) -> Stored<Pruned> {
        self.writer
            .write(move |connection| pruning::prune(connection, &portion))
            .await
    }
}

#[async_trait]
impl SealedSecrets for SqliteStore {
    async fn sealed_versions(&self, secret: &ResourceName) -> Stored<Vec<SecretVersion>> {
        let secret = secret.clone();
        self.readers
            .read(move |connection| sealed::versions(connection, &secret))
            .await
    }

    async fn sealed(&self, secret: &ResourceName, id: &str) -> Stored<Option<SealedVersion>> {
        let (secret, id) = (secret.clone(), id.to_owned());
        self.readers
            .read(move |connection| sealed::get(connection, &secret, &id))
            .await
    }

    async fn versions_in_use(&self) -> Stored<Vec<(ResourceName, String)>> {
        self.readers.read(sealed::in_use).await
    }

    async fn add_sealed(
        &self,
        secret: &ResourceName,
        added: SealedVersion,
        versions_max: u64,
        audit: AuditRecord,
    ) -> Stored<SecretVersion> {
        let secret = secret.clone();
        self.writer
            .write(move |connection| sealed::add(connection, &secret, added, versions_max, &audit))
            .await
    }
}
