//! Decides what a procedure may do: what its plugin declares ∩ what its file grants ∩ what the
//! operator named.

mod decision;
mod hint;
mod section;

pub use decision::{Basis, Denial, decide};
pub use hint::naming;
pub use section::GrantSection;

use crate::name::ResourceName;
use crate::resource::{Origin, Resources};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The kinds of resource, as the tables of `[grants]` are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// Databases: `sql`, `flow`.
    Databases,
    /// Directories: `files`, `flow`, preopens.
    Directories,
    /// Destinations: `probe`, `wasi:http`.
    Network,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Databases => "databases",
            Self::Directories => "directories",
            Self::Network => "network",
        })
    }
}

/// What is done with a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Access {
    /// Looking at it.
    Read,
    /// Changing what is in it.
    Write,
    /// Putting another one in its place.
    Replace,
    /// A method of HTTP, in capitals.
    Method(String),
}

impl Access {
    /// Whether a grant of this covers the other. `write` and `replace` include `read`.
    pub fn covers(&self, wanted: &Self) -> bool {
        self == wanted || (*wanted == Self::Read && matches!(self, Self::Write | Self::Replace))
    }
}

impl From<String> for Access {
    fn from(word: String) -> Self {
        match word.as_str() {
            "read" => Self::Read,
            "write" => Self::Write,
            "replace" => Self::Replace,
            _ => Self::Method(word.to_ascii_uppercase()),
        }
    }
}

impl From<Access> for String {
    fn from(access: Access) -> String {
        access.to_string()
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Replace => "replace",
            Self::Method(method) => method,
        })
    }
}

/// The permission to use one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseGrant {
    /// The most that may be done.
    pub access: Access,
    /// The tables that may be written; only with `write`, where it is required.
    #[serde(default)]
    pub write_tables: BTreeSet<String>,
}

/// What a procedure's file permits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Databases by name.
    pub databases: BTreeMap<ResourceName, DatabaseGrant>,
    /// Directories by name, each `read` or `write`.
    pub directories: BTreeMap<ResourceName, Access>,
    /// Names of network destinations.
    pub network: BTreeSet<ResourceName>,
}

impl Grants {
    /// These grants with those of one action added; the wider access wins.
    #[must_use]
    pub fn with(&self, more: &Self) -> Self {
        let mut sum = self.clone();
        for (name, grant) in &more.databases {
            match sum.databases.get_mut(name) {
                Some(have) if !grant.access.covers(&have.access) => {}
                Some(have) => {
                    have.access = grant.access.clone();
                    have.write_tables.extend(grant.write_tables.iter().cloned());
                }
                None => {
                    sum.databases.insert(name.clone(), grant.clone());
                }
            }
        }
        for (name, access) in &more.directories {
            let have = sum
                .directories
                .entry(name.clone())
                .or_insert_with(|| access.clone());
            if access.covers(have) {
                *have = access.clone();
            }
        }
        sum.network.extend(more.network.iter().cloned());
        sum
    }
}

/// What a plugin is about to do, or says that it will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// To use a database or a directory by its name.
    Named {
        /// Databases or directories.
        kind: ResourceKind,
        /// The operator's name for it.
        name: String,
        /// What for.
        access: Access,
    },
    /// To speak to a server.
    Network {
        /// Which server.
        origin: Origin,
        /// With which method of HTTP, in capitals.
        method: String,
    },
}

impl Wanted {
    /// To use this database.
    pub fn database(name: &str, access: Access) -> Self {
        Self::Named {
            kind: ResourceKind::Databases,
            name: name.to_owned(),
            access,
        }
    }

    /// To use this directory.
    pub fn directory(name: &str, access: Access) -> Self {
        Self::Named {
            kind: ResourceKind::Directories,
            name: name.to_owned(),
            access,
        }
    }

    /// What kind of resource.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Named { kind, .. } => *kind,
            Self::Network { .. } => ResourceKind::Network,
        }
    }

    /// What is done with it.
    pub fn access(&self) -> Access {
        match self {
            Self::Named { access, .. } => access.clone(),
            Self::Network { method, .. } => Access::Method(method.clone()),
        }
    }

    /// Whether the operator named the resource, for whomever.
    pub fn is_named(&self, resources: &Resources) -> bool {
        match self {
            Self::Named { kind, name, .. } => match kind {
                ResourceKind::Databases => resources.databases.keys().any(|known| known.as_str() == name),
                ResourceKind::Directories => resources.directories.keys().any(|known| known.as_str() == name),
                ResourceKind::Network => false,
            },
            Self::Network { origin, method } => {
                let mut destinations = resources.network.values();
                destinations.any(|destination| destination.covers(origin, method))
            }
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { kind, name, access } => write!(f, "`{access}` on {kind}.{name}"),
            Self::Network { origin, method } => write!(f, "`{method}` to {origin}"),
        }
    }
}
