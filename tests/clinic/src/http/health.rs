//! `/health` and `/health/ready`: whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::{Application, Problem};
use crate::{Breakage, schema};

/// The state of the service, and the reason where it is not good.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Health {
    fn ok() -> (StatusCode, Json<Self>) {
        let (status, reason) = ("ok", None);
        (StatusCode::OK, Json(Self { status, reason }))
    }

    fn bad(code: StatusCode, status: &'static str, reason: String) -> (StatusCode, Json<Self>) {
        let reason = Some(reason);
        (code, Json(Self { status, reason }))
    }
}

pub(super) async fn live(State(application): State<Arc<Application>>) -> (StatusCode, Json<Health>) {
    if application.is_broken(Breakage::Health) {
        let reason = "broken on purpose".to_owned();
        return Health::bad(StatusCode::INTERNAL_SERVER_ERROR, "error", reason);
    }
    Health::ok()
}

pub(super) async fn ready(
    State(application): State<Arc<Application>>,
) -> Result<(StatusCode, Json<Health>), Problem> {
    if application.is_broken(Breakage::Ready) {
        return Ok(unavailable("broken on purpose".to_owned()));
    }
    let probe = application
        .blocking(|application| Ok(schema::probe(&application.places.database)))
        .await?;
    Ok(match probe {
        Ok(()) => Health::ok(),
        Err(error) => unavailable(error.to_string()),
    })
}

fn unavailable(reason: String) -> (StatusCode, Json<Health>) {
    Health::bad(StatusCode::SERVICE_UNAVAILABLE, "unavailable", reason)
}
