//! Plugins as the rest of the host sees them.

use super::capabilities::Capabilities;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::limits::{Limits, Usage};
use crate::manifest::Manifest;
use crate::name::ActionName;
use crate::run::Report;
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Turns bytes into a plugin.
#[async_trait]
pub trait PluginLoader: Send + Sync {
    /// Compiles and checks the bytes, and asks the plugin for its manifest, with no grants at
    /// all. The second load of the same bytes compiles nothing.
    async fn load(&self, bytes: Arc<[u8]>) -> Result<Arc<dyn Plugin>, PluginProblem>;
}

/// Why bytes are not a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginProblem {
    /// What is wrong with the bytes, as one lower-case sentence.
    pub message: String,
    /// What would mend it.
    pub hint: Option<String>,
}

/// A plugin that is ready to be called.
#[async_trait]
pub trait Plugin: Send + Sync {
    /// The digest of its bytes.
    fn digest(&self) -> Digest;
    /// The number of its bytes.
    fn size(&self) -> u64;
    /// What it says of itself.
    fn manifest(&self) -> &Manifest;
    /// The interfaces that it imports.
    fn imports(&self) -> &[String];
    /// Carries out one action in a sandbox of its own, which is gone afterwards.
    async fn run(&self, call: Call, capabilities: Arc<dyn Capabilities>, bounds: Bounds) -> Ended;
}

/// What a plugin is asked to do.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which action.
    pub action: ActionName,
    /// The procedure's settings.
    pub settings: Value,
    /// What this run is told.
    pub inputs: Value,
}

/// What a call has to stay within.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How much it may use.
    pub limits: Limits,
    /// Asks it to end.
    pub cancel: CancellationToken,
}

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    /// What it came to. A call that ran out of time has the kind `timeout` and, in `extra`,
    /// `limit` = `timeout`; one that was asked to end `cancelled`.
    pub result: Result<Report, Failure>,
    /// What it used.
    pub usage: Usage,
}

/// Keeps the bytes of every plugin that a generation or a live run names.
#[async_trait]
pub trait PluginShelf: Send + Sync {
    /// The plugin with this digest.
    async fn plugin(&self, digest: Digest) -> Result<Arc<dyn Plugin>, PluginProblem>;
}
