//! Secrets, by the name that the operator gave them: their versions, and with a grant of its own the
//! values.
//!
//! A value that is only to be sent needs no reveal: write `{{secret:NAME}}` where it belongs, and the
//! host puts it there.
//!
//! ```no_run
//! use sopwith::secrets::Secret;
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let token = Secret::new("API_TOKEN");
//! if let Some(current) = token.current()? {
//!     sopwith::info!("in use is {}", current.fingerprint);
//!     let value = token.reveal(&current.id)?;
//!     assert_eq!(format!("{value:?}"), "[redacted]");
//! }
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::{secret_reveal, secrets as host};
use crate::{Context, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

crate::resource_name!(Secret);

/// What is known of a version of a secret; never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Unique in its secret.
    pub id: String,
    /// Where it stands.
    pub stage: Stage,
    /// When it came to be.
    pub created_at: Timestamp,
    /// Equal for equal values of this secret.
    pub fingerprint: String,
    /// Who brought it: `operator`, `procedure`, or `outside` for whoever changes the store past the
    /// host.
    pub origin: String,
}

/// Where a version stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It is not in use yet.
    Pending,
    /// It is in use.
    Current,
    /// It was in use until the current one came.
    Previous,
    /// It is not in use any more.
    Retired,
    /// A stage of a later contract, by its name.
    Other(String),
}

/// The value of a secret, which no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Vec<u8>);

impl Secret {
    /// The versions known, the newest first.
    pub fn versions(&self) -> Result<Vec<Version>> {
        host::versions(self.name())?.into_iter().map(version).collect()
    }

    /// The version in use; none where the secret has no value.
    pub fn current(&self) -> Result<Option<Version>> {
        let mut versions = self.versions()?.into_iter();
        Ok(versions.find(|version| version.stage == Stage::Current))
    }

    /// The value of a version. Each call is in the audit log.
    pub fn reveal(&self, version: &str) -> Result<Value> {
        Ok(Value(secret_reveal::reveal(self.name(), version)?))
    }

    /// Keeps a value as the pending version, and returns its id.
    pub fn put(&self, value: impl AsRef<[u8]>) -> Result<String> {
        Ok(secret_reveal::put(self.name(), value.as_ref())?)
    }
}

impl Value {
    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text; an error where it is none.
    pub fn expose_text(&self) -> Result<&str> {
        str::from_utf8(&self.0).context("the secret")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl From<String> for Stage {
    fn from(word: String) -> Self {
        match word.as_str() {
            "pending" => Self::Pending,
            "current" => Self::Current,
            "previous" => Self::Previous,
            "retired" => Self::Retired,
            _ => Self::Other(word),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pending => "pending",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
            Self::Other(word) => word,
        })
    }
}

fn version(version: host::Version) -> Result<Version> {
    let created_at = version.created_at.parse().context("the host's answer")?;
    let origin = crate::pair(&version.extra, "origin")
        .unwrap_or_default()
        .to_owned();
    Ok(Version {
        id: version.id,
        stage: version.stage.into(),
        created_at,
        fingerprint: version.fingerprint,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_no_debug_output_nor_in_the_error_about_it() {
        let value = Value(b"hush\xff".to_vec());
        assert_eq!(format!("{value:?}"), "[redacted]");
        let error = value.expose_text().expect_err("no text");
        assert!(!error.message.contains("hush"), "{error}");
        assert_eq!(value.expose(), b"hush\xff");
    }

    #[test]
    fn versions_are_read_as_the_host_writes_them() {
        let told = host::Version {
            id: "01k".to_owned(),
            stage: "current".to_owned(),
            created_at: "2026-11-20T18:00:00.000000Z".to_owned(),
            fingerprint: "abcd".to_owned(),
            extra: vec![("origin".to_owned(), "outside".to_owned())],
        };
        let read = version(told).expect("a version");
        assert_eq!((read.stage, read.origin.as_str()), (Stage::Current, "outside"));
        assert_eq!(Stage::from("destroyed".to_owned()).to_string(), "destroyed");
    }
}
