//! One attempt with grants, names and a record, for tests of the network.

use super::clock::PatientClock;
use super::store::RecordingStore;
use crate::commands::{Launcher, SupervisorProgram};
use crate::gate::Gate;
use crate::network::{Network, Trust};
use crate::redaction::Redactor;
use crate::secrets::tests::Counting;
use crate::secrets::{KeyPlace, SecretSettings, Vault};
use jiff::Timestamp;
use nameserver::NameServer;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::Attempt;
use sopwith_core::digest::Digest;
use sopwith_core::grant::{Access, GrantSection, Grants, ResourceKind};
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::manifest::CapabilityRequest;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, HttpRequest, HttpResponse, Probe as _};
use sopwith_core::port::{Clock, Lent, NoCalls};
use sopwith_core::resource::{Destination, Resources};
use sopwith_core::run::{Queued, Run, RunEvent, RunId, Trigger};
use sopwith_core::secret::{Secret, SecretStore, SecretUse};
use sopwith_store::SqliteStore;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];

/// The authorities of the system alone, read once for all worlds.
static SYSTEM: LazyLock<Arc<Trust>> = LazyLock::new(|| Arc::new(Trust::new(&[]).unwrap()));

/// What a test sets; the rest is as for a usual run.
#[derive(Default)]
pub(super) struct World {
    /// The origins of the one destination that is granted.
    pub(super) allow: Vec<String>,
    /// What the name server says of each name.
    pub(super) names: Vec<(String, String)>,
    /// Authorities beside those of the system.
    pub(super) ca_files: Vec<PathBuf>,
    pub(super) limits: Limits,
    pub(super) dry_run: bool,
    /// Whether time passes by itself.
    pub(super) real_time: bool,
    /// The origins of a second destination that is granted, to which no secret may go.
    pub(super) elsewhere: Vec<String>,
    /// Secrets that are granted and may go to the first destination, with their values.
    pub(super) secrets: Vec<(&'static str, Vec<u8>)>,
}

/// What a world turns into.
pub(super) struct Scene {
    pub(super) network: Network,
    pub(super) clock: Arc<PatientClock>,
    pub(super) cancel: CancellationToken,
    pub(super) names: NameServer,
    store: Arc<RecordingStore>,
    _values: TempDir,
}

impl World {
    /// A world in which these origins are granted.
    pub(super) fn granting<S: Into<String>>(allow: impl IntoIterator<Item = S>) -> Self {
        Self {
            allow: allow.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same where this name has these addresses.
    pub(super) fn with_name(self, name: &str, addresses: &[&str]) -> Self {
        self.says(name, &addresses.join(" "))
    }

    /// The same where the name server says this of the name.
    pub(super) fn says(mut self, name: &str, text: &str) -> Self {
        self.names.push((name.to_owned(), text.to_owned()));
        self
    }

    /// The same with a secret that may go there.
    pub(super) fn with_secret(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.secrets.push((name, value.into()));
        self
    }

    pub(super) fn build(self) -> Scene {
        let values = tempfile::tempdir().unwrap();
        for (name, value) in &self.secrets {
            std::fs::write(values.path().join(name), value).unwrap();
        }
        let clock = Arc::new(PatientClock::new(self.real_time));
        let store = Arc::new(RecordingStore::default());
        let cancel = CancellationToken::new();
        let trust = match self.ca_files.as_slice() {
            [] => Arc::clone(&SYSTEM),
            files => Arc::new(Trust::new(files).unwrap()),
        };
        let names = NameServer::start(self.names.clone()).unwrap();
        let redactor = Arc::<Redactor>::default();
        let vault = vault(values.path(), Arc::clone(&redactor), clock.clone());
        let deadline = clock.monotonic() + Duration::from_hours(1);
        let attempt = self.attempt(cancel.clone(), deadline, values.path());
        let gate = Arc::new(Gate::new(attempt, store.clone(), clock.clone(), redactor));
        Scene {
            network: Network::new(gate, trust, &[names.address()].into(), vault),
            clock,
            cancel,
            names,
            store,
            _values: values,
        }
    }

    pub(super) fn attempt(self, cancel: CancellationToken, deadline: Duration, values: &Path) -> Attempt {
        let destination = |origins: &[String]| Destination {
            allow: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
            methods: METHODS.map(ToOwned::to_owned).to_vec(),
        };
        let secret = |(name, _): &(&str, Vec<u8>)| {
            let store = SecretStore::File {
                path: values.join(name),
            };
            let uses = [SecretUse::Network("site".parse().unwrap())].into();
            (name.parse().unwrap(), Secret { store, uses })
        };
        let secrets: BTreeMap<ResourceName, Secret> = self.secrets.iter().map(secret).collect();
        let insert = CapabilityRequest {
            kind: ResourceKind::Secrets,
            access: Access::Insert,
            ..declaration("GET")
        };
        Attempt {
            run: run(self.dry_run),
            declared: METHODS.map(declaration).into_iter().chain([insert]).collect(),
            grants: Grants {
                network: ["site", "elsewhere"].map(|name| name.parse().unwrap()).into(),
                secrets: secrets.keys().cloned().collect(),
                ..Grants::default()
            },
            grant_section: GrantSection::Procedure,
            gates: BTreeMap::new(),
            revision: Digest::of("revision"),
            resources: Arc::new(Resources {
                network: [("site", &self.allow), ("elsewhere", &self.elsewhere)]
                    .map(|(name, origins)| (name.parse().unwrap(), destination(origins)))
                    .into(),
                secrets,
                ..Resources::default()
            }),
            limits: self.limits,
            deadline,
            cancel,
            previous_success: None,
            calls: Arc::new(NoCalls),
            lent: Lent::new(),
            finished_steps: BTreeMap::new(),
        }
    }
}

impl Scene {
    /// Asks with GET.
    pub(super) async fn get(&self, url: &str) -> Answer<HttpResponse> {
        self.network.http(request(url)).await
    }

    /// What is on record.
    pub(super) fn notes(&self) -> Vec<Note> {
        self.store.notes()
    }
}

/// A plain request.
pub(super) fn request(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        follow_redirects_max: 0,
        body_bytes_max: 1 << 20,
        timeout: Duration::from_secs(5),
        options: Vec::new(),
    }
}

fn vault(directory: &Path, redactor: Arc<Redactor>, clock: Arc<dyn Clock>) -> Arc<Vault> {
    let settings = SecretSettings {
        sealed: Arc::new(SqliteStore::open(&directory.join("sealed.db")).unwrap()),
        key: KeyPlace::new(directory.join("key"), None),
        credentials_directory: None,
        entropy: Arc::new(Counting::default()),
    };
    let supervisor = SupervisorProgram {
        path: PathBuf::new(),
        arguments: Vec::new(),
    };
    let launcher = Arc::new(Launcher::new(supervisor, Arc::clone(&clock)));
    Arc::new(Vault::new(settings, launcher, redactor, clock))
}

fn declaration(method: &str) -> CapabilityRequest {
    CapabilityRequest {
        kind: ResourceKind::Network,
        access: Access::Method(method.to_owned()),
        from: "$.url".to_owned(),
        required: true,
        reason: "test".to_owned(),
    }
}

fn run(dry_run: bool) -> Run {
    let queued = Queued {
        id: RunId::new(Timestamp::UNIX_EPOCH, 1),
        procedure: "smoke".parse().unwrap(),
        action: "check".parse().unwrap(),
        trigger: Trigger::Manual,
        actor: Actor::User {
            name: "anna".to_owned(),
            uid: 1000,
        },
        dry_run,
        plugin: "smoke".parse().unwrap(),
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
    let started = RunEvent::AttemptStarted {
        at: Timestamp::UNIX_EPOCH,
    };
    Run::begin(queued).apply(started).unwrap()
}
