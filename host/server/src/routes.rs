//! The routes, one for each operation.

use crate::peer::Peer;
use crate::{ActAs, audit_routes};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::{EventName, PluginName, ProcedureName, ResourceName};
use sopwith_core::port::operations::{self, ComingFilter, Operations, Submission};
use sopwith_core::port::{PauseScope, Rollback, RunFilter};
use sopwith_core::run::RunId;
use sopwith_core::secret::SecretValue;
use std::sync::Arc;
use std::time::Duration;

/// How long one question for the end of a run is held open; the client asks again.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// All routes.
pub(crate) fn routes(act_as: ActAs) -> Router {
    Router::new()
        .route("/version", get(version))
        .route("/status", get(status))
        .route("/reload", post(reload))
        .route("/plugins/{name}/rollback", post(roll_back))
        .route("/runs", get(runs).post(submit))
        .route("/runs/{id}", get(run))
        .route("/runs/{id}/journal", get(journal))
        .route("/runs/{id}/end", get(end))
        .route("/runs/{id}/cancel", post(cancel))
        .route("/runs/{id}/answer", post(answer))
        .route("/runs/{id}/retry", post(retry))
        .route("/plugins", get(plugins))
        .route("/schedule", get(coming))
        .route("/procedures/{name}/why", get(why))
        .route("/procedures/{name}/findings", get(findings))
        .route("/grants", get(grants))
        .route("/secrets", get(secrets))
        .route("/secret-status", get(secret_status))
        .route("/secrets/{name}", put(set_secret).layer(limit_to_a_value()))
        .route("/events/{name}", post(trigger))
        .route("/pause", post(pause))
        .route("/resume", post(resume))
        .merge(audit_routes::routes())
        .with_state(act_as)
}

/// The operations of whoever sent the request.
pub(crate) struct Asked(pub(crate) Arc<dyn Operations>);

impl FromRequestParts<ActAs> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, act_as: &ActAs) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        let actor = peer.and_then(|info| info.0.0.clone()).ok_or_else(|| {
            let message = "the credentials of the peer cannot be read";
            Refusal(Failure::new(FailureKind::Denied, Blame::Host, message))
        })?;
        Ok(Self(act_as(actor)))
    }
}

/// A failure on its way to the client.
pub(crate) struct Refusal(Failure);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.kind {
            FailureKind::Denied => StatusCode::FORBIDDEN,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::Conflict => StatusCode::CONFLICT,
            FailureKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self.0)).into_response()
    }
}

pub(crate) type Reply<T> = Result<Json<T>, Refusal>;

pub(crate) fn reply<T: Serialize>(answer: Result<T, Failure>) -> Reply<T> {
    Ok(Json(answer?))
}

async fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

async fn status(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.status().await)
}

async fn reload(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.reload().await)
}

async fn roll_back(
    asked: Asked,
    Path(name): Path<PluginName>,
    Json(way): Json<Rollback>,
) -> Reply<impl Serialize> {
    reply(asked.0.roll_back(name, way).await)
}

async fn runs(asked: Asked, Query(query): Query<Filter>) -> Reply<impl Serialize> {
    let filter: RunFilter = serde_json::from_str(&query.filter)
        .map_err(|error| Failure::new(FailureKind::Invalid, Blame::Operator, error.to_string()))?;
    reply(asked.0.runs(filter).await)
}

/// A filter as JSON, since a query string knows no lists.
#[derive(Deserialize)]
struct Filter {
    filter: String,
}

async fn submit(asked: Asked, Json(submission): Json<Submission>) -> Reply<impl Serialize> {
    submission.check()?;
    reply(asked.0.submit(submission).await)
}

async fn run(asked: Asked, Path(meant): Path<String>) -> Reply<impl Serialize> {
    reply(asked.0.run(&meant).await)
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

async fn journal(asked: Asked, Path(id): Path<RunId>, Query(query): Query<After>) -> Reply<impl Serialize> {
    reply(asked.0.journal(id, query.after).await)
}

#[derive(Deserialize)]
struct Through {
    through: bool,
}

/// Answers with the run when it has come to its end, or with nothing when that takes long.
async fn end(asked: Asked, Path(id): Path<RunId>, Query(query): Query<Through>) -> Reply<impl Serialize> {
    match tokio::time::timeout(WAIT_MAX, asked.0.wait(id, query.through)).await {
        Ok(run) => reply(run.map(Some)),
        Err(_) => reply(Ok(None)),
    }
}

async fn cancel(asked: Asked, Path(id): Path<RunId>) -> Reply<impl Serialize> {
    reply(asked.0.cancel(id).await)
}

async fn answer(
    asked: Asked,
    Path(id): Path<RunId>,
    Json(given): Json<operations::Reply>,
) -> Reply<impl Serialize> {
    reply(asked.0.answer(id, given).await)
}

async fn retry(asked: Asked, Path(id): Path<RunId>) -> Reply<impl Serialize> {
    reply(asked.0.retry(id).await)
}

async fn plugins(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.plugins().await)
}

async fn coming(asked: Asked, Query(filter): Query<ComingFilter>) -> Reply<impl Serialize> {
    reply(asked.0.coming(filter).await)
}

#[derive(Deserialize)]
struct Instant {
    at: Option<Timestamp>,
}

async fn why(
    asked: Asked,
    Path(name): Path<ProcedureName>,
    Query(query): Query<Instant>,
) -> Reply<impl Serialize> {
    reply(asked.0.why(name, query.at).await)
}

async fn findings(asked: Asked, Path(name): Path<ProcedureName>) -> Reply<impl Serialize> {
    reply(asked.0.findings(name).await)
}

#[derive(Deserialize)]
struct Of {
    procedure: Option<ProcedureName>,
}

async fn grants(asked: Asked, Query(query): Query<Of>) -> Reply<impl Serialize> {
    reply(asked.0.grants(query.procedure).await)
}

async fn secrets(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.secrets().await)
}

async fn secret_status(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.look_at_secrets().await)
}

/// The body is the value as it is, so that nothing on its way reads it, or writes it into an error.
async fn set_secret(asked: Asked, Path(name): Path<ResourceName>, value: Bytes) -> Reply<impl Serialize> {
    let value = SecretValue::new(value.to_vec()).map_err(|error| {
        let message = format!("the value cannot be kept: {error}");
        Failure::new(FailureKind::Invalid, Blame::Operator, message)
    })?;
    reply(asked.0.set_secret(name, value).await)
}

/// Room for one byte too many, so that the answer can say so.
fn limit_to_a_value() -> DefaultBodyLimit {
    DefaultBodyLimit::max(SecretValue::BYTES_MAX + 1)
}

async fn trigger(
    asked: Asked,
    Path(name): Path<EventName>,
    Json(inputs): Json<Value>,
) -> Reply<impl Serialize> {
    reply(asked.0.trigger(name, inputs).await)
}

/// What is to be paused, and why.
#[derive(Deserialize)]
struct ToPause {
    scope: PauseScope,
    reason: Option<String>,
}

async fn pause(asked: Asked, Json(to_pause): Json<ToPause>) -> Reply<impl Serialize> {
    reply(asked.0.pause(to_pause.scope, to_pause.reason).await)
}

async fn resume(asked: Asked, Json(scope): Json<PauseScope>) -> Reply<impl Serialize> {
    reply(asked.0.resume(scope).await)
}
