//! The shape of `sopwith.toml`.

use super::limits::{HostLimits, LimitsTable};
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
    /// Databases by name.
    pub(crate) databases: Option<BTreeMap<String, Database>>,
    /// Directories by name.
    pub(crate) directories: Option<BTreeMap<String, Directory>>,
    /// Network destinations by name.
    pub(crate) network: Option<BTreeMap<String, Destination>>,
    /// What leaves this machine.
    pub(crate) egress: Option<Egress>,
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
}
