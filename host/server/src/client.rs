//! The operations of a host that runs elsewhere, over its socket.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::journal::JournalEntry;
use sopwith_core::name::{EventName, PluginName, ProcedureName, ResourceName};
use sopwith_core::port::capabilities::OpenFinding;
use sopwith_core::port::operations::{
    ComingFilter, ComingTick, Explanation, Operations, PluginDetails, ProcedureGrants, ReloadStatus, Reply,
    RunDetails, Status, Submission, Triggered,
};
use sopwith_core::port::{Pause, PauseScope, Rollback, RolledBack, RunFilter, SecretSet, SecretStatus};
use sopwith_core::run::{Run, RunId};
use sopwith_core::secret::{Secret, SecretValue};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How long a host may take to say that it is there.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take; the question for the end of a run is answered sooner.
const ASK_FOR: Duration = Duration::from_mins(2);

/// Speaks to a host over its socket.
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// A client for the host at this socket.
    pub fn new(socket: &Path) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .timeout(ASK_FOR)
            .build()
            .map_err(|error| unreachable(&error))?;
        Ok(Self { http })
    }

    /// Whether somebody listens at the socket.
    pub async fn is_answered(&self) -> bool {
        self.request(Method::GET, "/version")
            .timeout(ANSWER_WITHIN)
            .send()
            .await
            .is_ok_and(|response| response.status().is_success())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://sopwith{path}"))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        answer(self.request(Method::GET, path)).await
    }
}

pub(crate) async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(|error| unreachable(&error))?;
    if response.status().is_success() {
        return response.json().await.map_err(|error| misunderstood(&error));
    }
    let status = response.status();
    let text = response.text().await.map_err(|error| unreachable(&error))?;
    Err(serde_json::from_str(&text)
        .unwrap_or_else(|_| Failure::host(format!("the host answered {status}: {text}"))))
}

fn unreachable(error: &reqwest::Error) -> Failure {
    let message = format!("the host cannot be reached: {}", root_cause(error));
    Failure::new(FailureKind::Unavailable, Blame::Host, message)
}

fn misunderstood(error: &reqwest::Error) -> Failure {
    Failure::host(format!("the host's answer cannot be read: {}", root_cause(error)))
        .hint("is the service of another version than this command?")
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[async_trait]
impl Operations for Client {
    async fn status(&self) -> Result<Status, Failure> {
        self.get("/status").await
    }

    async fn reload(&self) -> Result<ReloadStatus, Failure> {
        answer(self.request(Method::POST, "/reload")).await
    }

    async fn roll_back(&self, plugin: PluginName, way: Rollback) -> Result<RolledBack, Failure> {
        let path = format!("/plugins/{plugin}/rollback");
        answer(self.request(Method::POST, &path).json(&way)).await
    }

    async fn submit(&self, submission: Submission) -> Result<Run, Failure> {
        answer(self.request(Method::POST, "/runs").json(&submission)).await
    }

    async fn cancel(&self, id: RunId) -> Result<Run, Failure> {
        answer(self.request(Method::POST, &format!("/runs/{id}/cancel"))).await
    }

    async fn answer(&self, id: RunId, reply: Reply) -> Result<Run, Failure> {
        answer(
            self.request(Method::POST, &format!("/runs/{id}/answer"))
                .json(&reply),
        )
        .await
    }

    async fn retry(&self, id: RunId) -> Result<Run, Failure> {
        answer(self.request(Method::POST, &format!("/runs/{id}/retry"))).await
    }

    async fn wait(&self, id: RunId, through: bool) -> Result<Run, Failure> {
        loop {
            let path = format!("/runs/{id}/end?through={through}");
            if let Some(run) = self.get::<Option<Run>>(&path).await? {
                return Ok(run);
            }
        }
    }

    async fn run(&self, meant: &str) -> Result<RunDetails, Failure> {
        // Whatever is no name and no id cannot be in the path of a URL.
        if !meant
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            return Err(Failure::new(
                FailureKind::NotFound,
                Blame::Operator,
                format!("there is no run `{meant}`"),
            ));
        }
        self.get(&format!("/runs/{meant}")).await
    }

    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, Failure> {
        let filter = serde_json::to_string(&filter).expect("a filter is plain data");
        answer(self.request(Method::GET, "/runs").query(&[("filter", filter)])).await
    }

    async fn journal(&self, id: RunId, after: u64) -> Result<Vec<(u64, JournalEntry)>, Failure> {
        self.get(&format!("/runs/{id}/journal?after={after}")).await
    }

    async fn plugins(&self) -> Result<Vec<PluginDetails>, Failure> {
        self.get("/plugins").await
    }

    async fn coming(&self, filter: ComingFilter) -> Result<Vec<ComingTick>, Failure> {
        answer(self.request(Method::GET, "/schedule").query(&filter)).await
    }

    async fn why(
        &self,
        procedure: ProcedureName,
        at: Option<Timestamp>,
    ) -> Result<Vec<Explanation>, Failure> {
        let at = at.map_or_else(String::new, |at| format!("?at={at}"));
        self.get(&format!("/procedures/{procedure}/why{at}")).await
    }

    async fn findings(&self, procedure: ProcedureName) -> Result<Vec<OpenFinding>, Failure> {
        self.get(&format!("/procedures/{procedure}/findings")).await
    }

    async fn grants(&self, procedure: Option<ProcedureName>) -> Result<Vec<ProcedureGrants>, Failure> {
        let procedure = procedure.map_or_else(String::new, |name| format!("?procedure={name}"));
        self.get(&format!("/grants{procedure}")).await
    }

    async fn secrets(&self) -> Result<BTreeMap<ResourceName, Secret>, Failure> {
        self.get("/secrets").await
    }

    async fn look_at_secrets(&self) -> Result<Vec<SecretStatus>, Failure> {
        self.get("/secret-status").await
    }

    async fn set_secret(&self, name: ResourceName, value: SecretValue) -> Result<SecretSet, Failure> {
        let request = self.request(Method::PUT, &format!("/secrets/{name}"));
        answer(request.body(value.expose().to_vec())).await
    }

    async fn trigger(&self, event: EventName, inputs: Value) -> Result<Vec<Triggered>, Failure> {
        answer(
            self.request(Method::POST, &format!("/events/{event}"))
                .json(&inputs),
        )
        .await
    }

    async fn pause(&self, scope: PauseScope, reason: Option<String>) -> Result<Pause, Failure> {
        let to_pause = json!({ "scope": scope, "reason": reason });
        answer(self.request(Method::POST, "/pause").json(&to_pause)).await
    }

    async fn resume(&self, scope: PauseScope) -> Result<Vec<Pause>, Failure> {
        answer(self.request(Method::POST, "/resume").json(&scope)).await
    }
}
