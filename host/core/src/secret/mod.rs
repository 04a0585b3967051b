//! Secrets as the operator named them: where their values are kept, and where they may go.

pub mod environment_file;
mod key_file;
mod place;
mod value;
mod version;

pub use key_file::{ExposedKey, KEY_CREDENTIAL, check_key_file};
pub use place::{InvalidUse, SecretUse};
pub use value::{InvalidSecret, SecretValue};
pub use version::{SecretVersion, Stage, VersionOrigin};

use crate::name::ResourceName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

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

    /// How an operator changes a value there; none where Sopwith keeps it.
    pub fn changed_by(&self) -> Option<String> {
        Some(match self {
            Self::Environment { variable } => {
                format!("set `{variable}` where the host is started, and start it again")
            }
            Self::EnvFile { path, variable } => {
                format!("change the line  {variable}=…  of {}", path.display())
            }
            Self::File { path } => format!("write the value into {}", path.display()),
            Self::Credential { name } => {
                format!(
                    "change what `LoadCredential={name}:…` names in the unit, and start the service again"
                )
            }
            Self::Command { command } => format!("change it where the command `{command}` looks"),
            Self::Sealed => return None,
        })
    }
}
