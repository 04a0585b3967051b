//! `sopwith:plugin/probe`

use super::{Reply, reply, time};
use crate::bindings::sopwith::plugin::probe::{Certificate, Host, HttpRequest, HttpResponse, Timing};
use crate::guest::Guest;
use sopwith_core::port::capabilities as port;
use std::time::Duration;

impl Host for Guest {
    async fn http(&mut self, request: HttpRequest) -> Reply<HttpResponse> {
        let response = self.call()?.probe().http(request.into()).await;
        reply(&self.answered, response.map(HttpResponse::from))
    }
}

impl From<HttpRequest> for port::HttpRequest {
    fn from(request: HttpRequest) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            follow_redirects_max: request.follow_redirects_max,
            body_bytes_max: request.body_bytes_max,
            timeout: Duration::from_millis(request.timeout_ms.into()),
            options: request.options,
        }
    }
}

impl From<port::HttpResponse> for HttpResponse {
    fn from(response: port::HttpResponse) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
            body_truncated: response.body_truncated,
            peer_address: response.peer_address,
            certificate: response.certificate.map(Certificate::from),
            timing: response.timing.into(),
            extra: response.extra,
        }
    }
}

impl From<port::Timing> for Timing {
    fn from(timing: port::Timing) -> Self {
        Self {
            dns_us: timing.dns.map(microseconds),
            connect_us: timing.connect.map(microseconds),
            tls_us: timing.tls.map(microseconds),
            first_byte_us: timing.first_byte.map(microseconds),
            total_us: microseconds(timing.total),
            extra: Vec::new(),
        }
    }
}

impl From<port::Certificate> for Certificate {
    fn from(certificate: port::Certificate) -> Self {
        Self {
            subject: certificate.subject,
            issuer: certificate.issuer,
            names: certificate.names,
            serial: certificate.serial,
            not_before: time(certificate.not_before),
            not_after: time(certificate.not_after),
            key_algorithm: certificate.key_algorithm,
            key_bits: certificate.key_bits,
            signature_algorithm: certificate.signature_algorithm,
            sha256: certificate.sha256,
            extra: Vec::new(),
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
