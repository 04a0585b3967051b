//! One procedure with a database and a directory, in a place of its own.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;
use sopwith_capabilities::{KeyPlace, Provider, SecretSettings, SessionProgram, Settings, SupervisorProgram};
use sopwith_core::actor::Actor;
use sopwith_core::attempt::{Attempt, CapabilityProvider, FinishedSteps};
use sopwith_core::command::Command;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::grant::{Access, DatabaseGrant, GrantSection, Grants, ResourceKind};
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::manifest::CapabilityRequest;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, Capabilities, Pairs, Session, SessionMode, SqlValue};
use sopwith_core::port::{Clock, Entropy, Lent, NoCalls, Store};
use sopwith_core::resource::{Database, Directory, Resources};
use sopwith_core::run::{Queued, Run, RunEvent, RunId, Trigger};
use sopwith_core::secret::Secret;
use sopwith_store::SqliteStore;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The tables of the database `app`.
const SCHEMA: &str = "
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
    CREATE TABLE entry (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account (id), cents INTEGER NOT NULL);
    CREATE TABLE secret (id INTEGER PRIMARY KEY, word TEXT);
    CREATE INDEX by_word ON secret (word);
    CREATE TRIGGER gossip AFTER INSERT ON entry BEGIN INSERT INTO secret (word) VALUES ('told'); END;
    INSERT INTO account VALUES (1, 100), (2, 0);
";

/// What a test may set; the rest is as for a usual run.
pub(crate) struct World {
    pub(crate) database_access: Access,
    pub(crate) write_tables: Vec<&'static str>,
    pub(crate) directory_access: Access,
    /// All of them are granted.
    pub(crate) commands: BTreeMap<ResourceName, Command>,
    /// None of them is granted but those that follow.
    pub(crate) secrets: BTreeMap<ResourceName, Secret>,
    /// Secrets that may be worked with.
    pub(crate) secrets_used: BTreeSet<ResourceName>,
    /// Secrets whose values may be seen.
    pub(crate) secrets_revealed: BTreeSet<ResourceName>,
    pub(crate) limits: Limits,
    pub(crate) finished_steps: FinishedSteps,
    pub(crate) dry_run: bool,
    pub(crate) time: Duration,
    pub(crate) cancel: CancellationToken,
    pub(crate) provider: Provider,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) root: TempDir,
    pub(crate) run: RunId,
}

pub(crate) struct TestClock(Instant);

/// Numbers that are no two alike.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn random(&self) -> u128 {
        self.0.fetch_add(1, Relaxed).into()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(Instant::now()));
        let store = Arc::new(SqliteStore::open(&root.path().join("history.db")).unwrap());
        std::fs::create_dir(root.path().join("files")).unwrap();
        let app = Connection::open(root.path().join("app.db")).unwrap();
        app.pragma_update(None, "journal_mode", "wal").unwrap();
        app.execute_batch(SCHEMA).unwrap();
        Self {
            database_access: Access::Read,
            write_tables: Vec::new(),
            directory_access: Access::Write,
            commands: BTreeMap::new(),
            secrets: BTreeMap::new(),
            secrets_used: BTreeSet::new(),
            secrets_revealed: BTreeSet::new(),
            limits: Limits::default(),
            finished_steps: BTreeMap::new(),
            dry_run: false,
            time: Duration::from_mins(1),
            cancel: CancellationToken::new(),
            provider: provider(&store, &clock, root.path()),
            run: RunId::new(Timestamp::UNIX_EPOCH, 7),
            store,
            clock,
            root,
        }
    }

    /// Forgets what the host knew that is not on disk.
    pub(crate) fn restart(&mut self) {
        self.provider = provider(&self.store, &self.clock, self.root.path());
    }

    pub(crate) fn app(&self) -> PathBuf {
        self.root.path().join("app.db")
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.root.path().join("files")
    }

    /// The place of the host's key; none is there until it is made.
    pub(crate) fn key(&self) -> KeyPlace {
        KeyPlace::new(self.root.path().join("key"), None)
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.path().join("scratch")
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A connection of somebody else to the database.
    pub(crate) fn connect(&self) -> Connection {
        let connection = Connection::open(self.app()).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    /// Everything that one attempt can do; each call is a new attempt of the same run.
    pub(crate) async fn open(&self) -> Arc<dyn Capabilities> {
        let run = match self.store.run(self.run).await.unwrap() {
            Some(run) => run,
            None => self.start().await,
        };
        let attempt = Attempt {
            run,
            declared: Self::declared(),
            grants: self.grants(),
            grant_section: GrantSection::Procedure,
            gates: BTreeMap::new(),
            revision: Digest::of("revision"),
            resources: Arc::new(self.resources()),
            limits: self.limits.clone(),
            deadline: self.clock.monotonic() + self.time,
            cancel: self.cancel.clone(),
            previous_success: None,
            calls: Arc::new(NoCalls),
            lent: Lent::new(),
            finished_steps: self.finished_steps.clone(),
        };
        self.provider.open(attempt).await.unwrap()
    }

    /// What is on record.
    pub(crate) async fn notes(&self) -> Vec<Note> {
        // What nobody waits for is written at the latest with what somebody does.
        self.store.record(self.run, Vec::new()).await.unwrap();
        let lines = self.store.journal(self.run, 0, 10_000).await.unwrap();
        lines.into_iter().map(|(_, entry)| entry.note).collect()
    }

    async fn start(&self) -> Run {
        let queued = Queued {
            id: self.run,
            procedure: "clinic".parse().unwrap(),
            action: "check".parse().unwrap(),
            trigger: Trigger::Manual,
            actor: Actor::Host,
            dry_run: self.dry_run,
            plugin: "test".parse().unwrap(),
            plugin_digest: Digest::of(b"plugin"),
            revision: Digest::of(b"revision"),
            settings: Value::Null,
            inputs: Value::Null,
            queued_at: Timestamp::UNIX_EPOCH,
            key: None,
            retry_of: None,
            lent: [].into(),
            gate: None,
            start_by: None,
        };
        let run = self.store.queue(queued).await.unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let started = RunEvent::AttemptStarted { at };
        self.store
            .apply(self.run, run.epoch, started, &Actor::Host)
            .await
            .unwrap()
    }

    fn declared() -> Vec<CapabilityRequest> {
        let request = |kind, access: &Access| CapabilityRequest {
            kind,
            access: access.clone(),
            from: "$".to_owned(),
            required: true,
            reason: "test".to_owned(),
        };
        let mut declared = vec![
            request(ResourceKind::Directories, &Access::Write),
            request(ResourceKind::Commands, &Access::Run),
            request(ResourceKind::Secrets, &Access::Use),
            request(ResourceKind::Secrets, &Access::Reveal),
        ];
        declared
            .extend([Access::Write, Access::Replace].map(|access| request(ResourceKind::Databases, &access)));
        declared
    }

    fn grants(&self) -> Grants {
        let tables = self.write_tables.iter().map(ToString::to_string);
        let database = DatabaseGrant::new(&self.database_access, tables);
        Grants {
            databases: [("app".parse().unwrap(), database)].into(),
            directories: [("files".parse().unwrap(), self.directory_access.clone())].into(),
            commands: self.commands.keys().cloned().collect(),
            secrets: self.secrets_used.clone(),
            secret_reveal: self.secrets_revealed.clone(),
            ..Grants::default()
        }
    }

    fn resources(&self) -> Resources {
        let files = Directory { path: self.files() };
        Resources {
            databases: [("app".parse().unwrap(), Database::Sqlite(self.app()))].into(),
            directories: [("files".parse().unwrap(), files)].into(),
            commands: self.commands.clone(),
            secrets: self.secrets.clone(),
            ..Resources::default()
        }
    }
}

/// A host's capabilities, as they are when it has just come up.
fn provider(store: &Arc<SqliteStore>, clock: &Arc<TestClock>, root: &Path) -> Provider {
    let settings = Settings {
        store: store.clone(),
        clock: clock.clone(),
        scratch_directory: root.join("scratch"),
        session_program: SessionProgram {
            path: env!("CARGO_BIN_EXE_sql-session").into(),
            arguments: Vec::new(),
        },
        supervisor_program: SupervisorProgram {
            path: env!("CARGO_BIN_EXE_command-supervisor").into(),
            arguments: Vec::new(),
        },
        ca_files: Vec::new(),
        resolver: Vec::new(),
        redactor: Arc::default(),
        secrets: SecretSettings {
            sealed: store.clone(),
            key: KeyPlace::new(root.join("key"), None),
            credentials_directory: None,
            entropy: Arc::new(Counting::default()),
        },
    };
    Provider::new(settings).unwrap()
}

/// Opens a session with no options.
pub(crate) async fn session(all: &dyn Capabilities, database: &str, mode: SessionMode) -> Box<dyn Session> {
    all.sql().open(database, mode, Pairs::new()).await.unwrap()
}

/// All rows of a query.
pub(crate) async fn rows(session: &mut dyn Session, query: &str) -> Answer<Vec<Vec<SqlValue>>> {
    let mut cursor = session.query(query, Vec::new(), Pairs::new()).await?;
    let mut rows = Vec::new();
    loop {
        let page = cursor.next(100).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// Carries out a statement with no parameters.
pub(crate) async fn execute(session: &mut dyn Session, statement: &str) -> Answer<u64> {
    session.execute(statement, Vec::new(), Pairs::new()).await
}

/// The kind of failure that an answer is.
#[track_caller]
pub(crate) fn kind<T>(answer: Answer<T>) -> FailureKind {
    failure(answer).kind
}

#[track_caller]
pub(crate) fn failure<T>(answer: Answer<T>) -> Failure {
    match answer {
        Ok(_) => panic!("the call went through"),
        Err(failure) => failure,
    }
}

/// The names in a directory, in order.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let names = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
