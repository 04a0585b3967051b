//! What a guest sends through `wasi:http`.

use super::Answer;
use crate::failure::Failure;
use async_trait::async_trait;
use std::time::Duration;

/// The body of a message of HTTP on its way through the host.
pub type Body = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, Failure>;

/// How long the phases of a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressTimeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the head of the answer is there.
    pub first_byte: Duration,
    /// Between two pieces of the answer's body.
    pub between_bytes: Duration,
}

/// Sends what a guest asks for through `wasi:http`, under the policy of `probe`.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Sends one request and returns the answer with its body still to come.
    async fn send(
        &self,
        request: http::Request<Body>,
        timeouts: EgressTimeouts,
    ) -> Answer<http::Response<Body>>;
}
