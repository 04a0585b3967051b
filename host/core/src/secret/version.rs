//! The versions of a secret, and how each makes way for the next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known of a version of a secret; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Its id, unique in its secret.
    pub id: String,
    /// Where it stands.
    pub stage: Stage,
    /// When it came to be, as far as that is known.
    pub created_at: Timestamp,
    /// A digest by the host's key: equal for equal values of the secret.
    pub fingerprint: String,
    /// Who brought it.
    pub origin: VersionOrigin,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is not in use yet.
    Pending,
    /// It is in use.
    Current,
    /// It was in use until the current one came.
    Previous,
    /// It is not in use any more.
    Retired,
}

/// Who brought a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionOrigin {
    /// An operator, by `sopwith secrets set`.
    Operator,
    /// A procedure.
    Procedure,
    /// Whoever looks after the store, past Sopwith.
    Outside,
}

impl Stage {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }

    /// Whether it is in use, or was until just now.
    pub fn is_in_use(self) -> bool {
        matches!(self, Self::Current | Self::Previous)
    }

    /// Where a version stands once another one was added at this stage.
    #[must_use]
    pub fn after(self, added: Self) -> Self {
        match (added, self) {
            (Self::Pending, Self::Pending) | (Self::Current, Self::Previous) => Self::Retired,
            (Self::Current, Self::Current) => Self::Previous,
            (_, stage) => stage,
        }
    }
}

impl VersionOrigin {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Procedure => "procedure",
            Self::Outside => "outside",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Stage::{Current, Pending, Previous, Retired};

    #[test]
    fn there_is_at_most_one_pending_one_current_and_one_previous_version() {
        let mut versions = Vec::new();
        for added in [Current, Pending, Pending, Current, Current, Pending] {
            for version in &mut versions {
                *version = super::Stage::after(*version, added);
            }
            versions.push(added);
            for only in [Pending, Current, Previous] {
                assert!(
                    versions.iter().filter(|version| **version == only).count() <= 1,
                    "{versions:?}"
                );
            }
        }
        assert_eq!(versions, [Retired, Retired, Retired, Previous, Current, Pending]);
    }
}
