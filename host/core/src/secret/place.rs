//! The places where an operator lets a secret's value go.

use crate::name::{InvalidName, ResourceName};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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
