//! The shape of `[grants]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is permitted, by kind and name of resource.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grants {
    /// Databases by name.
    pub(crate) databases: Option<BTreeMap<String, DatabaseGrant>>,
    /// Directories by name.
    pub(crate) directories: Option<BTreeMap<String, DirectoryAccess>>,
    /// Names of network destinations.
    #[schemars(extend("examples" = [["site"]]))]
    pub(crate) network: Option<BTreeSet<String>>,
    /// Names of commands.
    #[schemars(extend("examples" = [["stop-app"]]))]
    pub(crate) commands: Option<BTreeSet<String>>,
    /// Names of secrets that the plugin may work with; it does not see their values.
    #[schemars(extend("examples" = [["API_TOKEN"]]))]
    pub(crate) secrets: Option<BTreeSet<String>>,
    /// Names of secrets whose values the plugin may see; each look is on record.
    #[schemars(extend("examples" = [["API_TOKEN"]]))]
    pub(crate) secret_reveal: Option<BTreeSet<String>>,
    /// Names of procedures that may be called; they run under their own grants.
    #[schemars(extend("examples" = [["clinic-backup"]]))]
    pub(crate) procedures: Option<BTreeSet<String>>,
}

/// `"read"`, `"replace"`, or a table with the tables that may be written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum DatabaseGrant {
    /// The access alone.
    Access(DatabaseAccess),
    /// The access and its bounds.
    Bounded(BoundedGrant),
}

/// The access to a database and its bounds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundedGrant {
    /// The most that may be done.
    #[schemars(required)]
    pub(crate) access: Option<DatabaseAccess>,
    /// The tables that may be written.
    #[schemars(extend("examples" = [["notes"]]))]
    pub(crate) write_tables: Option<BTreeSet<String>>,
}

/// What may be done with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DatabaseAccess {
    /// Queries.
    Read,
    /// Changes of the tables in `write_tables`.
    Write,
    /// Another database in its place.
    Replace,
}

/// What may be done with a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DirectoryAccess {
    /// Looking at its files.
    Read,
    /// Changing them.
    Write,
}
