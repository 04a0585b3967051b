//! A generation: one immutable, fully checked set of procedures and plugins.

use crate::digest::Digest;
use crate::grant::Denial;
use crate::name::{ActionName, PluginName, ProcedureName};
use crate::port::Plugin;
use crate::procedure::Procedure;
use crate::resource::Resources;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is in force.
#[derive(Clone)]
pub struct Generation {
    /// The digest of every file that it was made of, plugins included.
    pub digest: Digest,
    /// `[host]` and `[egress]`.
    pub host: HostSettings,
    /// What the operator named.
    pub resources: Arc<Resources>,
    /// The procedures by name.
    pub procedures: BTreeMap<ProcedureName, Arc<ReadyProcedure>>,
    /// The plugins that are at hand, by name, used or not.
    pub plugins: BTreeMap<PluginName, AvailablePlugin>,
}

/// A procedure with the plugin that carries it out.
#[derive(Clone)]
pub struct ReadyProcedure {
    /// What the operator wrote.
    pub procedure: Procedure,
    /// What carries it out.
    pub plugin: Arc<dyn Plugin>,
    /// What the actions lack that cannot run.
    pub unavailable: BTreeMap<ActionName, Vec<Denial>>,
    /// A newer version of the plugin that waits for grants.
    pub held: Option<HeldPlugin>,
}

/// A new version of a plugin that asks for more than is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPlugin {
    /// The bytes that wait.
    pub digest: Digest,
    /// What they lack.
    pub lacks: Vec<Denial>,
}

/// A plugin that is at hand.
#[derive(Clone)]
pub struct AvailablePlugin {
    /// The plugin.
    pub plugin: Arc<dyn Plugin>,
    /// Where it came from.
    pub origin: PluginOrigin,
}

/// Where a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginOrigin {
    /// It is part of Sopwith.
    Standard,
    /// A file in the plugin directory.
    File(PathBuf),
    /// A file that takes the place of the standard plugin of that name.
    FileInsteadOfStandard(PathBuf),
}

/// `[host]` and `[egress]` of `sopwith.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSettings {
    /// History, audit log, plugin bytes, compile cache.
    pub data_directory: PathBuf,
    /// Scratch databases.
    pub scratch_directory: PathBuf,
    /// How many attempts are under way at once.
    pub runs_at_once_max: u32,
    /// Files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
}

impl HostSettings {
    /// The most that `runs_at_once_max` may be: a service reserves address space for so many.
    pub const RUNS_AT_ONCE_MOST: u32 = 64;
}
