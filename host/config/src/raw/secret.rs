//! The shape of `[secrets.NAME]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// A secret: where its value is kept, and where it may go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    /// Where its value is kept.
    #[schemars(required, extend("examples" = ["sealed"]))]
    pub(crate) store: Option<SecretStore>,
    /// Of `env-file` and `file`: where the file is.
    #[schemars(extend("examples" = ["/etc/sopwith/token"]))]
    pub(crate) path: Option<String>,
    /// Of `environment` and `env-file`: the name of the variable, that of the secret by default.
    #[schemars(extend("examples" = ["API_TOKEN"]))]
    pub(crate) variable: Option<String>,
    /// Of `credential`: its name, that of the secret by default.
    #[schemars(extend("examples" = ["api-token"]))]
    pub(crate) credential: Option<String>,
    /// Of `command`: the name of a command that prints it.
    #[schemars(extend("examples" = ["tell-token"]))]
    pub(crate) command: Option<String>,
    /// Where the host may put its value: `network.NAME`, `commands.NAME`.
    #[serde(rename = "use")]
    #[schemars(extend("default" = [], "examples" = [["network.site"]]))]
    pub(crate) uses: Option<Vec<String>>,
}

/// Where the value of a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretStore {
    /// A variable of the host's environment.
    Environment,
    /// A line of a `.env` file.
    EnvFile,
    /// A whole file.
    File,
    /// A credential of systemd.
    Credential,
    /// What a command prints.
    Command,
    /// Sopwith's own store.
    Sealed,
}

impl SecretStore {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::EnvFile => "env-file",
            Self::File => "file",
            Self::Credential => "credential",
            Self::Command => "command",
            Self::Sealed => "sealed",
        }
    }

    /// The keys that belong to it.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Environment => &["variable"],
            Self::EnvFile => &["path", "variable"],
            Self::File => &["path"],
            Self::Credential => &["credential"],
            Self::Command => &["command"],
            Self::Sealed => &[],
        }
    }
}
