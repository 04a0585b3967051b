//! Taking up files when somebody asks for it, and going back to the plugin before.

use super::operations::ReloadStatus;
use crate::actor::Actor;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::name::PluginName;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A plugin that is not the one in the folder, since somebody went back to the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The bytes in the folder, which are passed over. Others end it.
    pub from: Digest,
    /// The bytes in their place.
    pub to: Digest,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
}

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollback {
    /// To the bytes before.
    Back,
    /// To the file in the folder again.
    Undo,
}

/// Takes up files when somebody asks for it.
#[async_trait]
pub trait Reloads: Send + Sync {
    /// Looks at the files now, and says what became of them.
    async fn look(&self) -> ReloadStatus;
    /// Goes back to the bytes that a plugin had before, or to its file again. Either is in force when this
    /// returns, and nothing has changed where it fails.
    async fn roll_back(&self, plugin: &PluginName, way: Rollback, by: &Actor) -> Result<RolledBack, Failure>;
}
