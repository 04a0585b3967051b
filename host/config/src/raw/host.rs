//! The shape of `sopwith.toml`.

use super::audit::Audit;
use super::command::Command;
use super::gate::Roles;
use super::history::History;
use super::limits::{HostLimits, LimitsTable};
use super::secret::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use sopwith_core::generation::HostSettings;
use std::collections::BTreeMap;

/// The host and what the operator named once.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sopwith.toml")]
pub(crate) struct HostFile {
    /// The host itself.
    pub(crate) host: Option<Host>,
    /// How much an attempt may use, unless its procedure says otherwise.
    #[schemars(with = "Option<HostLimits>")]
    pub(crate) limits: Option<LimitsTable>,
    /// How long the history of procedures is kept that say nothing else.
    pub(crate) history: Option<History>,
    /// Databases by name.
    pub(crate) databases: Option<BTreeMap<String, Database>>,
    /// Directories by name.
    pub(crate) directories: Option<BTreeMap<String, Directory>>,
    /// Network destinations by name.
    pub(crate) network: Option<BTreeMap<String, Destination>>,
    /// Secrets by name.
    pub(crate) secrets: Option<BTreeMap<String, Secret>>,
    /// Commands by name.
    pub(crate) commands: Option<BTreeMap<String, Command>>,
    /// What leaves this machine.
    pub(crate) egress: Option<Egress>,
    /// Plugins that are no part of Sopwith.
    pub(crate) plugins: Option<Plugins>,
    /// The audit log.
    pub(crate) audit: Option<Audit>,
    /// Who may do what.
    pub(crate) roles: Option<Roles>,
}

/// The host itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    /// History, audit log, plugin bytes, compile cache; one host at a time. `state` beside this
    /// file by default.
    #[schemars(extend("examples" = ["/var/lib/sopwith"]))]
    pub(crate) data_directory: Option<String>,
    /// Scratch databases. `scratch` in the data directory by default.
    #[schemars(extend("examples" = ["/var/tmp/sopwith"]))]
    pub(crate) scratch_directory: Option<String>,
    /// The IANA time zone of schedules that name none.
    #[schemars(extend("default" = "UTC", "examples" = ["Europe/Berlin"]))]
    pub(crate) time_zone: Option<String>,
    /// The key that seals secrets and signs, its owner's alone; the systemd credential `sopwith-key`
    /// goes before it. `key` beside this file by default.
    #[schemars(extend("examples" = ["/etc/sopwith/key"]))]
    pub(crate) key_file: Option<String>,
    /// How many attempts are under way at once.
    #[schemars(range(min = 1, max = HostSettings::RUNS_AT_ONCE_MOST), extend("default" = 8))]
    pub(crate) runs_at_once_max: Option<u32>,
}

/// A database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// Where it is: `sqlite:` and a path.
    #[schemars(required, extend("examples" = ["sqlite:/srv/clinic/app.db"]))]
    pub(crate) url: Option<String>,
}

/// A directory of files.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    /// Where it is.
    #[schemars(required, extend("examples" = ["/srv/backups"]))]
    pub(crate) path: Option<String>,
}

/// Servers that procedures may speak to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    /// Schemes, hosts and ports; `https://*.example` means the names beneath.
    #[schemars(required, extend("examples" = [["https://clinic.example"]]))]
    pub(crate) allow: Option<Vec<String>>,
    /// Methods of HTTP.
    #[schemars(extend("default" = ["GET", "HEAD"]))]
    pub(crate) methods: Option<Vec<String>>,
}

/// What leaves this machine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Egress {
    /// Files of certificates that are trusted beside the system's.
    #[schemars(extend("default" = []))]
    pub(crate) ca_files: Option<Vec<String>>,
    /// Name servers that are asked in place of the system's resolver, with a port unless it is 53;
    /// then `/etc/hosts` and search domains have no say. The system's resolver by default.
    #[schemars(length(max = 8), extend("default" = [], "examples" = [["127.0.0.1:5353"]]))]
    pub(crate) resolver: Option<Vec<String>>,
}

/// Plugins that are no part of Sopwith.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugins {
    /// Whether a file in `plugins/` is refused unless one of the keys has signed it. Its signature
    /// is `NAME.wasm.minisig`, beside it.
    #[schemars(extend("default" = false))]
    pub(crate) require_signatures: Option<bool>,
    /// Public keys of minisign, each the second line of a file `minisign.pub`. A signature that is
    /// there has to be by one of them.
    #[schemars(extend(
        "default" = [],
        "examples" = [["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"]]
    ))]
    pub(crate) keys: Option<Vec<String>>,
}
