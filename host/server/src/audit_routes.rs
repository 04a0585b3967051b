//! The routes of the audit log.

use crate::ActAs;
use crate::routes::{Asked, Reply, reply};
use axum::extract::Query;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sopwith_core::audit::PublicKey;
use sopwith_core::port::AuditFilter;
use sopwith_core::port::operations::ExportRange;

pub(crate) fn routes() -> Router<ActAs> {
    Router::new()
        .route("/audit/verify", post(verify))
        .route("/audit/search", post(search))
        .route("/audit/entries", get(page))
        .route("/audit/export", post(export))
        .route("/audit/redact", post(redact))
        .route("/audit/anchor", post(anchor))
        .route("/audit/status", get(status))
}

async fn verify(asked: Asked, Json(known): Json<Vec<PublicKey>>) -> Reply<impl Serialize> {
    reply(asked.0.verify_audit(known).await)
}

async fn search(asked: Asked, Json(filter): Json<AuditFilter>) -> Reply<impl Serialize> {
    reply(asked.0.audit_entries(filter).await)
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

async fn page(asked: Asked, Query(query): Query<After>) -> Reply<impl Serialize> {
    reply(asked.0.audit_page(query.after).await)
}

async fn export(asked: Asked, Json(range): Json<ExportRange>) -> Reply<impl Serialize> {
    reply(asked.0.export_audit(range).await)
}

/// What is to be redacted, and why.
#[derive(Serialize, Deserialize)]
pub(crate) struct Redact {
    pub(crate) seq: u64,
    pub(crate) reason: String,
}

async fn redact(asked: Asked, Json(redact): Json<Redact>) -> Reply<impl Serialize> {
    reply(asked.0.redact_audit(redact.seq, redact.reason).await)
}

async fn anchor(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.anchor_audit().await)
}

async fn status(asked: Asked) -> Reply<impl Serialize> {
    reply(asked.0.audit_status().await)
}
