//! Answers and outcomes for tests.

use crate::outcome::{CheckOutcome, State};
use sopwith::Severity;
use sopwith::jiff::Timestamp;
use sopwith::probe::{Certificate, Response, Timing};

/// The instant at which tests look.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T18:00:00Z".parse().expect("it is an instant")
}

/// An answer that took 12.3 ms, with some headers and a certificate for 20 more days.
pub(crate) fn response(status: u16, body: &str) -> Response {
    let headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Version", "7"),
        ("Vary", "accept"),
        ("Vary", "origin"),
    ];
    Response {
        status,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: body.as_bytes().to_vec(),
        body_truncated: false,
        peer_address: "127.0.0.1:8000".to_owned(),
        certificate: Some(certificate()),
        timing: timing(12_345),
        extra: Vec::new(),
    }
}

/// What came of a critical check of this name.
pub(crate) fn outcome(name: &str, state: State) -> CheckOutcome {
    let is_well = state == State::Holds;
    CheckOutcome {
        name: name.to_owned(),
        url: format!("http://127.0.0.1/{name}"),
        ok: is_well,
        state,
        severity: Severity::Critical,
        reason: (!is_well).then(|| "[STATUS] (503) == 200".to_owned()),
        conditions: Vec::new(),
        attempts: 1,
        status: is_well.then_some(200),
        peer_address: None,
        timing: is_well.then(|| timing(12_345)),
    }
}

/// Nothing but the whole is timed.
fn timing(total_us: u64) -> Timing {
    Timing {
        dns_us: None,
        connect_us: None,
        tls_us: None,
        first_byte_us: None,
        total_us,
        extra: Vec::new(),
    }
}

fn certificate() -> Certificate {
    Certificate {
        subject: "CN=clinic.example".to_owned(),
        issuer: "CN=authority".to_owned(),
        names: vec!["clinic.example".to_owned()],
        serial: "01".to_owned(),
        not_before: "2026-01-01T00:00:00Z".to_owned(),
        not_after: "2026-12-10T18:00:00Z".to_owned(),
        key_algorithm: "EC".to_owned(),
        key_bits: 256,
        signature_algorithm: "ecdsa-with-SHA256".to_owned(),
        sha256: "00".repeat(32),
        extra: Vec::new(),
    }
}
