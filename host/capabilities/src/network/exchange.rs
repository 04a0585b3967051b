//! Sends one request over a connection, and says in words what went wrong.

use crate::network::connect::Stream;
use crate::network::phase::{Phase, outside};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Body};
use std::error::Error;
use std::io;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The head of an answer, with its body still to come over a connection that ends with this.
pub(super) struct Exchange {
    pub(super) response: Response<Incoming>,
    pub(super) driver: AbortOnDropHandle<()>,
}

/// Sends a request and waits for the head of the answer; `server` is its name in failures, and
/// `place` is given back with the connection.
pub(super) async fn exchange(
    stream: Box<dyn Stream>,
    place: OwnedSemaphorePermit,
    request: Request<Body>,
    server: &str,
) -> Answer<Exchange> {
    let failed = |error: hyper::Error| refusal(&error, Phase::FirstByte, server);
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let driver = AbortOnDropHandle::new(tokio::spawn(async move {
        // Whoever waits for the answer is told of the error too.
        let _ = connection.await;
        drop(place);
    }));
    let response = sender.send_request(request).await.map_err(failed)?;
    Ok(Exchange { response, driver })
}

/// Says in words why an exchange failed.
pub(super) fn refusal(error: &hyper::Error, phase: Phase, server: &str) -> Failure {
    if let Some(failure) = cause::<Failure>(error) {
        return failure.clone();
    }
    if error.is_parse_too_large() {
        let message = format!(
            "the head of the answer of `{server}` has more than {HEAD_BYTES_MAX} bytes, or names a length that no body has"
        );
        return outside(FailureKind::Failed, phase, message);
    }
    // A piece of a body that makes no sense is an error of reading to hyper.
    let is_nonsense = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        )
    };
    if error.is_parse() || cause::<io::Error>(error).is_some_and(is_nonsense) {
        let message = format!("`{server}` does not speak HTTP/1.1: {error}");
        return outside(FailureKind::Failed, phase, message);
    }
    let reset = cause::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
        )
    });
    let message = if error.is_incomplete_message() {
        format!("`{server}` ended the connection in the middle of its answer")
    } else if reset {
        format!("connection reset by `{server}`")
    } else {
        let why = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        format!("the connection to `{server}` broke: {why}")
    };
    outside(FailureKind::Unavailable, phase, message)
}

fn cause<T: Error + 'static>(error: &hyper::Error) -> Option<&T> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
