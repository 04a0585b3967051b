//! Masks secrets in every answer, whatever route it comes from.

use crate::MaskJson;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

/// The answer with every secret masked.
pub(crate) async fn masked(State(mask): State<MaskJson>, answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    // An answer is in memory as a whole already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    head.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(mask(bytes.into())))
}
