//! Looking at the network.

use super::{Answer, Pairs};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// How long each phase took; none where it did not take place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the phases of the contract's `probe.timing`")]
pub struct Timing {
    pub dns: Option<Duration>,
    pub connect: Option<Duration>,
    pub tls: Option<Duration>,
    pub first_byte: Option<Duration>,
    pub total: Duration,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// In capitals.
    pub method: String,
    /// `http` or `https`.
    pub url: String,
    /// In order.
    pub headers: Pairs,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How many redirects to follow.
    pub follow_redirects_max: u32,
    /// How much of the answer's body to keep.
    pub body_bytes_max: u64,
    /// For everything together.
    pub timeout: Duration,
    /// Known names: `address`.
    pub options: Pairs,
}

/// A certificate as its server showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the contract's `probe.certificate`")]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
    pub serial: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key_algorithm: String,
    pub key_bits: u32,
    pub signature_algorithm: String,
    pub sha256: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// In order, with repetitions.
    pub headers: Pairs,
    /// As much of the body as was asked for.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub body_truncated: bool,
    /// Address and port of the server.
    pub peer_address: String,
    /// The server's own, when it spoke TLS.
    pub certificate: Option<Certificate>,
    /// How long each phase took.
    pub timing: Timing,
    /// Known names: `http-version`, `redirects`.
    pub extra: Pairs,
}

/// Looks at the network.
#[async_trait]
pub trait Probe: Send + Sync {
    /// One request over HTTP.
    async fn http(&self, request: HttpRequest) -> Answer<HttpResponse>;
}
