//! Why a call, an attempt or a run did not do what it was asked.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of failure that the contract names (`types.error.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Not granted.
    Denied,
    /// The thing does not exist.
    NotFound,
    /// The thing is not in the state that the call expects.
    Conflict,
    /// The call itself makes no sense.
    Invalid,
    /// A limit was reached.
    Limit,
    /// It took too long.
    Timeout,
    /// The other side did not answer.
    Unavailable,
    /// Nobody can do this here.
    Unsupported,
    /// Somebody asked for an end.
    Cancelled,
    /// A dry run, and the answer cannot be made up.
    Planned,
    /// Anything else.
    Failed,
}

impl FailureKind {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
            Self::Planned => "planned",
            Self::Failed => "failed",
        }
    }

    /// Reads the contract's open set; a word that nobody knows is `failed`.
    pub fn from_word(word: &str) -> Self {
        serde_json::from_value(word.into()).unwrap_or(Self::Failed)
    }
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The plugin's author.
    Plugin,
    /// Whoever looks after the machine: disk, memory, the host itself.
    Host,
    /// Whoever wrote the configuration.
    Operator,
    /// Somebody else's service.
    Outside,
}

impl Blame {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Host => "host",
            Self::Operator => "operator",
            Self::Outside => "outside",
        }
    }

    /// Reads the word of the contract.
    pub fn from_word(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// Why something did not do what it was asked; the contract's `error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// One lower-case sentence that names the thing and the cause.
    pub message: String,
    /// What would make it succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same, unchanged, may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// Who has to act.
    pub blame: Blame,
    /// Further names with values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<(String, String)>,
}

impl Failure {
    /// A failure that is not worth a retry.
    pub fn new(kind: FailureKind, blame: Blame, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            retryable: false,
            blame,
            extra: Vec::new(),
        }
    }

    /// The call itself makes no sense: the plugin's fault.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, Blame::Plugin, message)
    }

    /// A dry run cannot answer this call.
    pub fn planned(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Planned, Blame::Plugin, message)
    }

    /// A limit of that name was reached.
    pub fn limit(name: &str, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Limit, Blame::Plugin, message).with("limit", name)
    }

    /// The run was asked to end.
    pub fn cancelled() -> Self {
        Self::new(
            FailureKind::Cancelled,
            Blame::Operator,
            "the run was asked to end",
        )
    }

    /// The machine did not do its part.
    pub fn host(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Failed, Blame::Host, message)
    }

    /// Adds what would make it succeed.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that the same may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Adds a name with a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.extra.push((name.to_owned(), value.into()));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_contract_read_back_and_unknown_ones_are_failed() {
        for kind in [FailureKind::NotFound, FailureKind::Denied, FailureKind::Planned] {
            assert_eq!(FailureKind::from_word(kind.as_str()), kind);
        }
        assert_eq!(FailureKind::from_word("exotic"), FailureKind::Failed);
        assert_eq!(Blame::from_word("outside"), Some(Blame::Outside));
    }
}
