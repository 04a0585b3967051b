//! What a check wants a person to know.

use crate::bindings::sopwith::plugin::journal as host;
use crate::{Result, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

pub use host::{Finding, OpenFinding};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// To be looked at some time.
    Low,
    /// To be looked at soon.
    Medium,
    /// To be looked at today.
    High,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// The severity as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What an action has found that found this: `high` and worse are critical.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Info | Self::Low | Self::Medium => Verdict::Warning,
            Self::High | Self::Critical => Verdict::Critical,
        }
    }
}

impl Finding {
    /// A finding of this check (`area/check`) about this subject; the two together are its
    /// fingerprint.
    pub fn new(severity: Severity, check: impl Display, subject: impl Display, title: impl Display) -> Self {
        Self {
            check: check.to_string(),
            severity: severity.as_str().to_owned(),
            subject: subject.to_string(),
            title: title.to_string(),
            detail: String::new(),
            fix: None,
            extra: Vec::new(),
        }
    }

    /// Adds what was seen.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// Adds what would mend it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Display) -> Self {
        self.fix = Some(fix.to_string());
        self
    }

    /// Adds a name with a value.
    #[must_use]
    pub fn with_extra(mut self, name: &str, value: impl Display) -> Self {
        self.extra.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Adds findings to the record.
pub fn add_findings(findings: &[Finding]) -> Result<()> {
    Ok(host::add_findings(findings)?)
}

/// Says that a check was carried out to its end, on so many subjects. What it found in earlier
/// runs and did not add again is now resolved.
pub fn checked(check: &str, subjects: u64) -> Result<()> {
    Ok(host::checked(check, subjects)?)
}

/// What stands open under this check from earlier runs of the procedure.
pub fn open_findings(check: &str) -> Result<Vec<OpenFinding>> {
    Ok(host::open_findings(check)?)
}
