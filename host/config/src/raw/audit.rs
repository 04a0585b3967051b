//! The shape of `[audit]`.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The audit log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    /// How long entries are kept at least: years, months, weeks, days.
    #[schemars(extend("default" = "6y", "examples" = ["10y"]))]
    pub(crate) keep: Option<String>,
    /// Where signed checkpoints are sent, by name.
    #[schemars(extend("default" = {}))]
    pub(crate) anchors: Option<BTreeMap<String, Anchor>>,
}

/// Where signed checkpoints are sent: a file, or a command.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Anchor {
    /// A file to whose end they are added, on another disk than the data directory.
    #[schemars(extend("examples" = ["/mnt/other/sopwith-audit.ndjson"]))]
    pub(crate) file: Option<String>,
    /// The name of a command that reads them from its standard input, one a line.
    #[schemars(extend("examples" = ["send-anchor"]))]
    pub(crate) command: Option<String>,
}
