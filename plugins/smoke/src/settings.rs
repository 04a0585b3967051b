//! What an operator writes in a procedure's file.

use sopwith::serde_json::Value;
use sopwith::{Duration, Severity};
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Checks that services answer over HTTP as they should.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// How long a check waits for the whole answer.
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: Duration,
    /// What is checked, in this order.
    #[schemars(length(min = 1))]
    pub(crate) checks: Vec<CheckSettings>,
}

/// One request, and what must hold of its answer.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct CheckSettings {
    /// What the check is called in findings and reports; unique in the procedure.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9._-]*$"))]
    pub(crate) name: String,
    /// The page to ask for.
    pub(crate) url: String,
    /// The method to ask with.
    #[serde(default)]
    pub(crate) method: Method,
    /// Headers to send.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The text to send.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// The value to send as JSON, instead of `body`.
    #[serde(default)]
    pub(crate) json: Option<Value>,
    /// How many redirects are followed.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub(crate) redirects_max: u32,
    /// How long this check waits, where it is not as long as the others.
    #[serde(default)]
    pub(crate) timeout: Option<Duration>,
    /// What must hold of the answer.
    #[serde(default = "status_ok")]
    #[schemars(length(min = 1))]
    pub(crate) conditions: Vec<String>,
    /// How bad it is when the check fails: `high` and `critical` make the run critical, the
    /// others a warning.
    #[serde(default = "critical")]
    pub(crate) severity: Severity,
    /// How often a check that fails is tried again before it counts.
    #[serde(default)]
    #[schemars(range(max = 100))]
    pub(crate) retries: u32,
    /// How long to wait before it is tried again.
    #[serde(default = "one_second")]
    pub(crate) retry_after: Duration,
}

/// The method of a request.
#[sopwith::settings]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    #[default]
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

impl Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        })
    }
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn status_ok() -> Vec<String> {
    vec!["[STATUS] == 200".to_owned()]
}

fn critical() -> Severity {
    Severity::Critical
}
