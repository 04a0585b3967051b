//! A generation: one immutable, fully checked set of procedures and plugins.

use crate::digest::Digest;
use crate::grant::Denial;
use crate::name::{ActionName, PluginName, ProcedureName, ResourceName};
use crate::port::Plugin;
use crate::procedure::Procedure;
use crate::resource::Resources;
use crate::retention::Retention;
use crate::role::Roles;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What is in force.
#[derive(Clone)]
pub struct Generation {
    /// The digest of every file that it was made of, plugins included.
    pub digest: Digest,
    /// `[host]`, `[egress]`, `[audit]` and `[roles]`.
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
    /// Where that came from.
    pub source: PluginSource,
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
    pub source: PluginSource,
}

/// Where the bytes of a plugin came from, and who signed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSource {
    /// Where they came from.
    pub origin: PluginOrigin,
    /// The signature that was verified; none where there is none, or no key to verify it with.
    pub signature: Option<PluginSignature>,
}

impl PluginSource {
    /// That of a plugin that is part of Sopwith, which needs no signature of its own.
    pub const STANDARD: Self = Self {
        origin: PluginOrigin::Standard,
        signature: None,
    };
}

/// A signature of minisign over the bytes of a plugin, made with one of the operator's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSignature {
    /// The public key, as `[plugins] keys` has it.
    pub key: String,
    /// The sixteen hexadecimal digits by which minisign names the key.
    pub key_id: String,
    /// What the signer says of the bytes, which is signed as well. It may have any characters but
    /// those that end a line.
    pub trusted_comment: String,
    /// The signature's own file.
    pub text: String,
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

/// `[host]`, `[egress]`, `[history]`, `[audit]` and `[roles]` of `sopwith.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSettings {
    /// History, audit log, plugin bytes, compile cache.
    pub data_directory: PathBuf,
    /// Scratch databases.
    pub scratch_directory: PathBuf,
    /// The file of the host's key, where no credential takes its place.
    pub key_file: PathBuf,
    /// How many attempts are under way at once.
    pub runs_at_once_max: u32,
    /// Files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Name servers that are asked in place of the system's resolver; none for that.
    pub resolver: Vec<SocketAddr>,
    /// How long the history of procedures is kept that say nothing else, or are gone.
    pub retention: Retention,
    /// Who may do what.
    #[serde(default)]
    pub roles: Roles,
    /// `[audit]`.
    pub audit: AuditSettings,
}

/// `[audit]` of `sopwith.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditSettings {
    /// How long entries are kept at least.
    pub keep: Duration,
    /// Where checkpoints are sent, by name.
    pub anchors: BTreeMap<ResourceName, Anchor>,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            keep: Self::KEEP,
            anchors: BTreeMap::new(),
        }
    }
}

impl AuditSettings {
    /// Six years, two of them leap years.
    pub const KEEP: Duration = Duration::from_hours((6 * 365 + 2) * 24);
}

/// Where checkpoints are sent, so that the end of the log cannot be cut off unnoticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// They are added to the end of this file.
    File(PathBuf),
    /// They are what this command reads from its standard input.
    Command(ResourceName),
}

impl HostSettings {
    /// The most that `runs_at_once_max` may be: a service reserves address space for so many.
    pub const RUNS_AT_ONCE_MOST: u32 = 64;
}
