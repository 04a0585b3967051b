//! Secrets as the operator named them: where their values are kept, and where they may go.

use crate::name::{InvalidName, ResourceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `[secrets.NAME]`; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Where its value is kept.
    pub store: SecretStore,
    /// Where the host may put its value, besides its own store.
    pub uses: BTreeSet<SecretUse>,
}

/// Where the value of a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretStore {
    /// A variable of the host's environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A line of a `.env` file.
    EnvFile {
        /// The file, absolute.
        path: PathBuf,
        /// The name of the variable.
        variable: String,
    },
    /// A whole file; one newline at its end is not part of the value.
    File {
        /// The file, absolute.
        path: PathBuf,
    },
    /// A credential that systemd handed to the service (`LoadCredential=`).
    Credential {
        /// Its name in `$CREDENTIALS_DIRECTORY`.
        name: String,
    },
    /// The standard output of a command; one newline at its end is not part of the value.
    Command {
        /// The operator's name for the command.
        command: ResourceName,
    },
    /// Sopwith's own store, sealed with the host's key.
    Sealed,
}

impl SecretStore {
    /// The word for it in `sopwith.toml`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "environment",
            Self::EnvFile { .. } => "env-file",
            Self::File { .. } => "file",
            Self::Credential { .. } => "credential",
            Self::Command { .. } => "command",
            Self::Sealed => "sealed",
        }
    }
}

/// A place where the host may put the value of a secret: `network.site`, `commands.migrate`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretUse {
    /// Requests to the servers of a network destination.
    Network(ResourceName),
    /// The environment of a command.
    Command(ResourceName),
}

/// A text that names no place for a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUse {
    /// The kind of resource takes no secrets.
    #[error("`{0}` is no place for a secret; write `network.NAME` or `commands.NAME`")]
    Kind(String),
    /// What follows is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl FromStr for SecretUse {
    type Err = InvalidUse;

    fn from_str(text: &str) -> Result<Self, InvalidUse> {
        match text.split_once('.') {
            Some(("network", name)) => Ok(Self::Network(name.parse()?)),
            Some(("commands", name)) => Ok(Self::Command(name.parse()?)),
            _ => Err(InvalidUse::Kind(text.to_owned())),
        }
    }
}

impl fmt::Display for SecretUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "network.{name}"),
            Self::Command(name) => write!(f, "commands.{name}"),
        }
    }
}

impl TryFrom<String> for SecretUse {
    type Error = InvalidUse;

    fn try_from(text: String) -> Result<Self, InvalidUse> {
        text.parse()
    }
}

impl From<SecretUse> for String {
    fn from(place: SecretUse) -> Self {
        place.to_string()
    }
}
