//! Decides what a procedure may do: what its plugin declares ∩ what its file grants ∩ what the
//! operator named.

mod asked;
mod decision;
mod hint;
#[cfg(test)]
mod properties;
mod section;
mod usage;

pub use asked::{Asked, asked};
pub use decision::{Basis, Denial, Granted, decide};
pub use hint::{letting_go, nameless, naming};
pub use section::GrantSection;
pub use usage::{GrantUse, Uses};

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
    /// Commands: `commands`, `flow`.
    Commands,
    /// Secrets: `secrets`, `secret-reveal`, and `{{secret:NAME}}` in what is sent.
    Secrets,
    /// Other procedures: `procedures`.
    Procedures,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Databases => "databases",
            Self::Directories => "directories",
            Self::Network => "network",
            Self::Commands => "commands",
            Self::Secrets => "secrets",
            Self::Procedures => "procedures",
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
    /// Running a command.
    Run,
    /// Working with a secret without seeing its value.
    Use,
    /// Having the host put a secret's value in the place of `{{secret:NAME}}`.
    Insert,
    /// Seeing a secret's value, or keeping one.
    Reveal,
    /// Running a procedure in the place of one's own run.
    Call,
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
            "run" => Self::Run,
            "use" => Self::Use,
            "insert" => Self::Insert,
            "reveal" => Self::Reveal,
            "call" => Self::Call,
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
            Self::Run => "run",
            Self::Use => "use",
            Self::Insert => "insert",
            Self::Reveal => "reveal",
            Self::Call => "call",
            Self::Method(method) => method,
        })
    }
}

/// The permission to use one database: to read it, and perhaps more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseGrant {
    /// The tables that may be written; where there are none, none may.
    pub write_tables: BTreeSet<String>,
    /// Whether another database may be put in its place.
    pub replace: bool,
}

impl DatabaseGrant {
    /// The permission for this access; `write_tables` matter for `write` alone.
    pub fn new(access: &Access, write_tables: impl IntoIterator<Item = String>) -> Self {
        let writes = *access == Access::Write;
        Self {
            write_tables: write_tables.into_iter().filter(|_| writes).collect(),
            replace: *access == Access::Replace,
        }
    }

    /// Whether this may be done.
    pub fn covers(&self, wanted: &Access) -> bool {
        match wanted {
            Access::Read => true,
            Access::Write => !self.write_tables.is_empty(),
            Access::Replace => self.replace,
            _ => false,
        }
    }

    /// The most that may be done, in one word.
    pub fn access(&self) -> Access {
        let most = [Access::Replace, Access::Write];
        most.into_iter()
            .find(|access| self.covers(access))
            .unwrap_or(Access::Read)
    }
}

/// What a procedure's file permits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// Databases by name.
    pub databases: BTreeMap<ResourceName, DatabaseGrant>,
    /// Directories by name, each `read` or `write`.
    pub directories: BTreeMap<ResourceName, Access>,
    /// Names of network destinations.
    pub network: BTreeSet<ResourceName>,
    /// Names of commands.
    pub commands: BTreeSet<ResourceName>,
    /// Names of secrets that are worked with and never seen.
    pub secrets: BTreeSet<ResourceName>,
    /// Names of secrets whose values are seen.
    pub secret_reveal: BTreeSet<ResourceName>,
    /// Names of procedures that are called.
    pub procedures: BTreeSet<ResourceName>,
}

impl Grants {
    /// What is granted of a resource: what is wanted, or else the most.
    fn access(&self, kind: ResourceKind, name: &ResourceName, wanted: &Access) -> Option<Access> {
        let listed = |names: &BTreeSet<ResourceName>| names.contains(name).then(|| wanted.clone());
        match (kind, wanted) {
            (ResourceKind::Databases, wanted) => {
                let grant = self.databases.get(name)?;
                Some(if grant.covers(wanted) {
                    wanted.clone()
                } else {
                    grant.access()
                })
            }
            (ResourceKind::Directories, _) => self.directories.get(name).cloned(),
            (ResourceKind::Commands, Access::Run) => listed(&self.commands),
            (ResourceKind::Secrets, Access::Use | Access::Insert) => listed(&self.secrets),
            (ResourceKind::Secrets, Access::Reveal) => listed(&self.secret_reveal),
            (ResourceKind::Procedures, Access::Call) => listed(&self.procedures),
            (
                ResourceKind::Commands
                | ResourceKind::Secrets
                | ResourceKind::Network
                | ResourceKind::Procedures,
                _,
            ) => None,
        }
    }

    /// These grants with those of one action added.
    #[must_use]
    pub fn with(&self, more: &Self) -> Self {
        let mut sum = self.clone();
        for (name, grant) in &more.databases {
            let have = sum.databases.entry(name.clone()).or_default();
            have.write_tables.extend(grant.write_tables.iter().cloned());
            have.replace |= grant.replace;
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
        sum.commands.extend(more.commands.iter().cloned());
        sum.secrets.extend(more.secrets.iter().cloned());
        sum.secret_reveal.extend(more.secret_reveal.iter().cloned());
        sum.procedures.extend(more.procedures.iter().cloned());
        sum
    }
}

/// What a plugin is about to do, or says that it will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// To use a resource by its name.
    Named {
        /// Any kind but the network.
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
    /// To have the value of a secret put into what is sent to a server.
    Insertion {
        /// The operator's name for the secret.
        secret: String,
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

    /// To run this command.
    pub fn command(name: &str) -> Self {
        Self::Named {
            kind: ResourceKind::Commands,
            name: name.to_owned(),
            access: Access::Run,
        }
    }

    /// To call this procedure.
    pub fn procedure(name: &str) -> Self {
        Self::Named {
            kind: ResourceKind::Procedures,
            name: name.to_owned(),
            access: Access::Call,
        }
    }

    /// To use or to see this secret.
    pub fn secret(name: &str, access: Access) -> Self {
        Self::Named {
            kind: ResourceKind::Secrets,
            name: name.to_owned(),
            access,
        }
    }

    /// What kind of resource.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Named { kind, .. } => *kind,
            Self::Network { .. } => ResourceKind::Network,
            Self::Insertion { .. } => ResourceKind::Secrets,
        }
    }

    /// What is done with it.
    pub fn access(&self) -> Access {
        match self {
            Self::Named { access, .. } => access.clone(),
            Self::Network { method, .. } => Access::Method(method.clone()),
            Self::Insertion { .. } => Access::Insert,
        }
    }

    /// Whether the operator named the resource, for whomever.
    pub fn is_named(&self, resources: &Resources) -> bool {
        match self {
            Self::Named { kind, name, .. } => resources.has(*kind, name),
            Self::Insertion { secret, .. } => resources.has(ResourceKind::Secrets, secret),
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
            Self::Insertion { secret, origin, .. } => write!(f, "`insert` of secrets.{secret} for {origin}"),
        }
    }
}
