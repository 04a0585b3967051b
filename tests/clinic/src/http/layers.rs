//! What stands before the routes: headers, the guard of the switches, and misbehaviour on purpose.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{Application, Problem};
use crate::{Breakage, sample};

/// Slower than any check accepts, and quicker than most give up.
const LATENCY: Duration = Duration::from_secs(2);

const BROKEN_BODY: &str = r#"{"status":"#;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds the headers that each answer bears.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().extend(HEADERS);
    let id = sample::request_id().to_string();
    let id = HeaderValue::try_from(id).expect("a UUID has no character that a header forbids");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Turns away who does not call from this machine.
pub(super) async fn loopback_only(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if is_on_this_machine(peer.ip()) {
        return Ok(next.run(request).await);
    }
    let message = format!("`{}` is not on this machine", peer.ip());
    Err(Problem::new(StatusCode::FORBIDDEN, message))
}

fn is_on_this_machine(peer: IpAddr) -> bool {
    // An IPv6 socket sees an IPv4 peer as a mapped address.
    peer.to_canonical().is_loopback()
}

/// Answers late, or with a broken body, while those switches say so.
pub(super) async fn misbehave(
    State(application): State<Arc<Application>>,
    request: Request,
    next: Next,
) -> Response {
    if application.is_broken(Breakage::Latency) {
        tokio::time::sleep(LATENCY).await;
    }
    let mut response = next.run(request).await;
    if application.is_broken(Breakage::Body) {
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(BROKEN_BODY);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    fn check(peer: &str, expected: bool) {
        assert_eq!(is_on_this_machine(peer.parse().unwrap()), expected, "{peer}");
    }

    #[test]
    fn switches_are_for_this_machine_alone() {
        check("127.0.0.1", true);
        check("::1", true);
        check("::ffff:127.0.0.1", true);
        check("192.0.2.1", false);
        check("::ffff:192.0.2.1", false);
    }
}
