//! One attempt with grants, names and a record, for tests of the network.

use super::clock::PatientClock;
use super::store::RecordingStore;
use crate::gate::Gate;
use crate::network::resolve::Resolve;
use crate::network::{Network, Trust};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::attempt::Attempt;
use sopwith_core::digest::Digest;
use sopwith_core::grant::{Access, GrantSection, Grants, ResourceKind};
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::manifest::CapabilityRequest;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::{Answer, HttpRequest, HttpResponse, Probe as _};
use sopwith_core::resource::{Destination, Resources};
use sopwith_core::run::{Queued, Run, RunId, RunState, Trigger};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];

/// What a test sets; the rest is as for a usual run.
#[derive(Default)]
pub(super) struct World {
    /// The origins of the one destination that is granted.
    pub(super) allow: Vec<String>,
    /// The answers of the resolver.
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    /// Authorities beside those of the system.
    pub(super) ca_files: Vec<PathBuf>,
    pub(super) limits: Limits,
    pub(super) dry_run: bool,
}

/// What a world turns into.
pub(super) struct Scene {
    pub(super) network: Network,
    pub(super) clock: Arc<PatientClock>,
    pub(super) cancel: CancellationToken,
    store: Arc<RecordingStore>,
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
    pub(super) fn with_name(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        self.names.insert(name.to_owned(), addresses.collect());
        self
    }

    pub(super) fn build(self) -> Scene {
        let clock = Arc::new(PatientClock::new());
        let store = Arc::new(RecordingStore::default());
        let cancel = CancellationToken::new();
        let trust = Arc::new(Trust::new(&self.ca_files).unwrap());
        let resolver = Arc::new(Names(self.names.clone()));
        let attempt = self.attempt(cancel.clone(), clock.monotonic() + Duration::from_hours(1));
        let gate = Arc::new(Gate::new(attempt, store.clone(), clock.clone()));
        Scene {
            network: Network::with_resolver(gate, trust, resolver),
            clock,
            cancel,
            store,
        }
    }

    fn attempt(self, cancel: CancellationToken, deadline: Duration) -> Attempt {
        let destination = Destination {
            allow: self.allow.iter().map(|origin| origin.parse().unwrap()).collect(),
            methods: METHODS.map(ToOwned::to_owned).to_vec(),
        };
        Attempt {
            run: run(self.dry_run),
            declared: METHODS.map(declaration).to_vec(),
            grants: Grants {
                network: ["site".parse().unwrap()].into(),
                ..Grants::default()
            },
            grant_section: GrantSection::Procedure,
            resources: Arc::new(Resources {
                network: [("site".parse().unwrap(), destination)].into(),
                ..Resources::default()
            }),
            limits: self.limits,
            deadline,
            cancel,
            previous_success: None,
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

struct Names(BTreeMap<String, Vec<IpAddr>>);

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.get(host).cloned();
        found.ok_or_else(|| io::Error::other("no such name"))
    }
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
    };
    Run {
        queued,
        state: RunState::Running,
        epoch: 2,
        attempt: 1,
        resumed: 0,
        started_at: Some(Timestamp::UNIX_EPOCH),
        ended_at: None,
        retry_at: None,
        cancelled_by: None,
        report: None,
        failure: None,
        usage: None,
    }
}
