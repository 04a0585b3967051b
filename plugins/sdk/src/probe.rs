//! Looks at the network from outside an application: one attempt, timed by phase.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let response = sopwith::probe::get("http://127.0.0.1:8080/health")
//!     .with_header("accept", "application/json")
//!     .with_timeout(Duration::from_secs(2))
//!     .send()?;
//! let body: serde_json::Value = response.json()?;
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::probe as host;
use crate::{Context, Error, ErrorKind, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

pub use host::{Certificate, HttpResponse as Response, Timing};

/// A page that a check looks at is rarely larger; what is cut off is marked as such.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// A person would not wait longer either.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One request over HTTP that is yet to be sent.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked without `send`"]
pub struct Request(host::HttpRequest);

/// A `GET` of this URL.
pub fn get(url: impl Into<String>) -> Request {
    Request::new("GET", url)
}

impl Request {
    /// A request of this method. It follows no redirect, reads a mebibyte and waits ten seconds
    /// unless it is told otherwise.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self(host::HttpRequest {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            follow_redirects_max: 0,
            body_bytes_max: BODY_BYTES_MAX,
            timeout_ms: timeout_ms(TIMEOUT),
            options: Vec::new(),
        })
    }

    /// Adds a header.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// Sends these bytes along.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = body.into();
        self
    }

    /// Sends this along as JSON, and says so.
    pub fn with_json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        let body = serde_json::to_vec(body)?;
        Ok(self
            .with_header("content-type", "application/json")
            .with_body(body))
    }

    /// Follows so many redirects.
    pub fn with_redirects_max(mut self, redirects_max: u32) -> Self {
        self.0.follow_redirects_max = redirects_max;
        self
    }

    /// Reads no more of the body than this.
    pub fn with_body_bytes_max(mut self, bytes_max: u64) -> Self {
        self.0.body_bytes_max = bytes_max;
        self
    }

    /// Waits no longer than this for the whole.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout_ms = timeout_ms(timeout);
        self
    }

    /// Connects to this one of the name's addresses.
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.0.options.push(("address".to_owned(), address.into()));
        self
    }

    /// Sends it and waits for the whole answer, whatever its status.
    pub fn send(self) -> Result<Response> {
        Ok(host::http(&self.0)?)
    }
}

fn timeout_ms(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)
}

impl Response {
    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).into_iter().next()
    }

    /// All headers of this name, in order.
    pub fn headers_named(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter();
        let named = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text, with `�` for what is no UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `limit` where it was cut off.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if self.body_truncated {
            let message = format!("the body has more than {} bytes", self.body.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        serde_json::from_slice(&self.body).context("the body")
    }

    /// How long the whole took.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.timing.total_us)
    }
}

impl Certificate {
    /// The first instant at which it is valid.
    pub fn valid_from(&self) -> Result<Timestamp> {
        self.not_before.parse().context("the certificate's begin")
    }

    /// The last instant at which it is valid.
    pub fn valid_until(&self) -> Result<Timestamp> {
        self.not_after.parse().context("the certificate's end")
    }
}
