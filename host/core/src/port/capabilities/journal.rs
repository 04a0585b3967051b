//! The record that a plugin leaves: steps, findings, figures, evidence.

use super::{Answer, Pairs};
use crate::failure::Failure;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// How bad a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id of the check, `area/check`.
    pub check: String,
    /// An open set: `info`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// What it is about; with `check` its fingerprint.
    pub subject: String,
    /// One line.
    pub title: String,
    /// The rest.
    pub detail: String,
    /// What would mend it.
    pub fix: Option<String>,
    /// Further names with values.
    #[serde(default)]
    pub extra: Pairs,
}

/// A finding that earlier runs left open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFinding {
    /// The finding as it was added last.
    pub finding: Finding,
    /// When it was seen first.
    pub first_seen_at: Timestamp,
    /// In how many runs.
    pub times_seen: u64,
}

/// The record that the plugin leaves.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Begins a step.
    async fn begin(&self, name: &str) -> Answer<Box<dyn Step>>;
    /// Adds a line to the run's log.
    async fn log(&self, level: &str, message: &str, fields: Pairs);
    /// Adds what the guest printed; `stream` is `stdout` or `stderr`.
    async fn printed(&self, stream: &str, text: &str);
    /// Adds findings.
    async fn add_findings(&self, findings: Vec<Finding>) -> Answer<()>;
    /// Says that a check was carried out to its end on so many subjects.
    async fn checked(&self, check: &str, subjects: u64) -> Answer<()>;
    /// What stands open from earlier runs.
    async fn open_findings(&self, check: &str) -> Answer<Vec<OpenFinding>>;
    /// Keeps a figure.
    async fn metric(&self, name: &str, value: f64, unit: &str);
    /// Keeps a small piece of evidence.
    async fn attach(&self, name: &str, media_type: &str, content: Vec<u8>) -> Answer<()>;
    /// Treats a value as a secret for this run.
    fn redact(&self, value: &str);
    /// Masks what is known as a secret in a text that is about to be kept.
    fn masked(&self, text: &str) -> String;
}

/// A step that is open, or one that an earlier attempt finished. A step that is dropped open
/// has failed, unless the host died.
#[async_trait]
pub trait Step: Send + Sync {
    /// The output that an earlier attempt recorded, as JSON.
    fn recorded(&self) -> Option<Arc<str>>;
    /// Says how far it is.
    async fn progress(&mut self, done: u64, total: Option<u64>, unit: &str);
    /// Ends it well; durable when this returns.
    async fn finish(&mut self, output: Value) -> Answer<()>;
    /// Ends it without having done it.
    async fn skip(&mut self, reason: &str) -> Answer<()>;
    /// Ends it badly.
    async fn fail(&mut self, reason: Failure);
    /// Ends it as it stands: badly, unless one of the others was called.
    async fn close(self: Box<Self>);
}
